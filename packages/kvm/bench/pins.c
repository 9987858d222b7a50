/*
 * The peer of pin.bench.ts: threads that pin anonymous memory by io_uring's registered buffers, 128 MiB at a time, each
 * on a ring of its own. A line on standard input is one round on memory that was never touched; the answer is its
 * seconds. Arguments: bytes, threads, 1 for huge pages.
 */
#define _GNU_SOURCE
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PIECE (128UL << 20)
#define PLACES 512

static uint8_t *memory;
static unsigned long pieces, next_piece;

struct worker {
	pthread_t thread;
	int ring;
};

static long must(long result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

static void *pin(void *argument)
{
	struct worker *worker = argument;
	uint64_t tag = 0;
	for (unsigned place = 0;; place++) {
		unsigned long piece = __atomic_fetch_add(&next_piece, 1, __ATOMIC_RELAXED);
		if (piece >= pieces)
			return 0;
		struct iovec range = {memory + piece * PIECE, PIECE};
		struct io_uring_rsrc_update2 update = {
			.offset = place, .data = (uintptr_t)&range, .tags = (uintptr_t)&tag, .nr = 1};
		must(syscall(SYS_io_uring_register, worker->ring, IORING_REGISTER_BUFFERS_UPDATE, &update, sizeof update),
		     "IORING_REGISTER_BUFFERS_UPDATE");
	}
}

static int make_ring(void)
{
	struct io_uring_params params = {0};
	int ring = must(syscall(SYS_io_uring_setup, 1, &params), "io_uring_setup");
	struct io_uring_rsrc_register table = {.nr = PLACES, .flags = IORING_RSRC_REGISTER_SPARSE};
	must(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS2, &table, sizeof table),
	     "IORING_REGISTER_BUFFERS2");
	return ring;
}

int main(int argc, char **argv)
{
	unsigned long bytes = strtoul(argv[1], 0, 10);
	int threads = atoi(argv[2]);
	struct worker workers[threads];
	char line[64];
	pieces = bytes / PIECE;
	while (fgets(line, sizeof line, stdin)) {
		struct timespec start, end;
		/* On a boundary of 2 MiB, as ours. */
		uint8_t *reserved = mmap(0, bytes + (2 << 20), PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		memory = (uint8_t *)(((uintptr_t)reserved + (2 << 20) - 1) & ~((2UL << 20) - 1));
		must(madvise(memory, bytes, atoi(argv[3]) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE), "madvise");
		next_piece = 0;
		clock_gettime(CLOCK_MONOTONIC, &start);
		for (int index = 0; index < threads; index++) {
			workers[index].ring = make_ring();
			pthread_create(&workers[index].thread, 0, pin, &workers[index]);
		}
		for (int index = 0; index < threads; index++)
			pthread_join(workers[index].thread, 0);
		clock_gettime(CLOCK_MONOTONIC, &end);
		for (int index = 0; index < threads; index++) {
			syscall(SYS_io_uring_register, workers[index].ring, IORING_UNREGISTER_BUFFERS, 0, 0);
			close(workers[index].ring);
		}
		munmap(reserved, bytes + (2 << 20));
		printf("%.9f\n", (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9);
		fflush(stdout);
	}
	return 0;
}
