/*
 * The peer of exits.bench.ts: a real-mode guest that leaves KVM_RUN for ever, by a port write or by a write to memory
 * that is not there. A line on standard input is one round; the answer is the seconds of its fastest stretch.
 * Arguments: port or mmio, exits of a stretch, stretches of a round.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

static const uint8_t port_loop[] = {0xba, 0x80, 0x00, 0xb0, 0x41, 0xee, 0xeb, 0xfd};
static const uint8_t mmio_loop[] = {0xb8, 0x00, 0xf0, 0x8e, 0xd8, 0xa2, 0x00, 0x00, 0xeb, 0xfb};

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

int main(int argc, char **argv)
{
	long exits = atol(argv[2]);
	int stretches = atoi(argv[3]);
	int mmio = strcmp(argv[1], "mmio") == 0;
	int kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	must(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	uint8_t *ram = mmap(0, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(ram + 0x1000, mmio ? mmio_loop : port_loop, mmio ? sizeof mmio_loop : sizeof port_loop);
	struct kvm_userspace_memory_region region = {.memory_size = 0x10000, .userspace_addr = (uintptr_t)ram};
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	int vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	int bytes = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	struct kvm_run *run = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	struct kvm_sregs sregs;
	must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	struct kvm_regs regs = {.rip = 0x1000, .rflags = 2};
	must(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

	char line[64];
	uint64_t sum = 0;
	while (fgets(line, sizeof line, stdin)) {
		double fastest = 1e9;
		for (int stretch = 0; stretch < stretches; stretch++) {
			struct timespec start, end;
			clock_gettime(CLOCK_MONOTONIC, &start);
			for (long left = exits; left > 0; left--) {
				must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
				switch (run->exit_reason) {
				case KVM_EXIT_IO:
					sum += run->io.port + run->io.size + run->io.count + ((uint8_t *)run)[run->io.data_offset];
					break;
				case KVM_EXIT_MMIO:
					sum += run->mmio.phys_addr + run->mmio.len + run->mmio.data[0];
					break;
				default:
					fprintf(stderr, "exit %u\n", run->exit_reason);
					return 1;
				}
			}
			clock_gettime(CLOCK_MONOTONIC, &end);
			double seconds = (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9;
			if (seconds < fastest)
				fastest = seconds;
		}
		printf("%.9f\n", fastest);
		fflush(stdout);
	}
	return sum == 0;
}
