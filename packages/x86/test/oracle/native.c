/*
 * The host's own processor as an oracle: runs records of (registers, memory, code) in user mode and answers with what
 * came out. No process and no system call a record: code is entered and left by the trampolines below, a fault
 * comes back by its signal. test/oracle/layout.ts describes the records; test/oracle/native.ts is the other end.
 *
 * Input, little-endian:  batch = { u32 magic, u32 kind, u32 count, u32 bytes }, then `bytes` of payload.
 *   kind 0: the background, DATA_SIZE bytes: what data memory holds before each record's patches.
 *   kind 1: count records { state, u32 code_bytes, u32 patches, code padded to 8, patches × { u32 offset, u32 0, u8[16] } }
 * Output of kind 1: { u32 magic, u32 0, u32 count, u32 bytes }, then count × { state, u32 deltas, u32 0, deltas × chunk }
 *   with a chunk like a patch: 16 bytes, 16-aligned, that differ from background + patches.
 *
 * Code is at CODE_BASE, readable and executable; data at DATA_BASE, readable and writable; around both nothing is
 * mapped, and this program itself is far above (static-pie), so that a stray 32-bit address finds only a fault.
 * After setting up, seccomp's strict mode: a sequence that runs into a `syscall` ends the process, nothing else.
 */
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define DATA_BASE 0x10000000ul
#define DATA_SIZE 0x4000ul
#define CODE_BASE 0x20000000ul
#define CODE_SIZE 0x2000ul
#define MAGIC 0x524f4e55u /* "UNOR" */
#define BUFFER (64ul << 20)
#define CHUNK 16u
#define NO_VECTOR 0xffffffffu
#define RUNAWAY 0xfffffffeu

struct state {
  uint64_t gpr[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8…r15 */
  uint64_t rip, rflags;
  uint32_t vector, error;
  uint64_t address;
  uint64_t reserved[4];
  uint8_t fx[512]; /* FXSAVE64 image */
};
_Static_assert(sizeof(struct state) == 704, "layout.ts says 704");

struct state live __attribute__((aligned(64), visibility("hidden")));
uint64_t host_rsp __attribute__((visibility("hidden")));
static volatile int in_guest;
static volatile uint64_t record_number;

void oracle_enter(void);
void oracle_exit(void);
void oracle_abandon(void);

/* The hidden globals are reached relative to RIP: no register is free at either edge. */
__asm__(
    ".text\n"
    ".globl oracle_enter, oracle_exit, oracle_abandon\n"
    "oracle_enter:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  mov %rsp, host_rsp(%rip)\n"
    "  fxrstor64 192+live(%rip)\n"
    "  pushq 136+live(%rip)\n"
    "  popfq\n"
    "  mov 0+live(%rip), %rax\n"
    "  mov 8+live(%rip), %rcx\n"
    "  mov 16+live(%rip), %rdx\n"
    "  mov 24+live(%rip), %rbx\n"
    "  mov 40+live(%rip), %rbp\n"
    "  mov 48+live(%rip), %rsi\n"
    "  mov 56+live(%rip), %rdi\n"
    "  mov 64+live(%rip), %r8\n"
    "  mov 72+live(%rip), %r9\n"
    "  mov 80+live(%rip), %r10\n"
    "  mov 88+live(%rip), %r11\n"
    "  mov 96+live(%rip), %r12\n"
    "  mov 104+live(%rip), %r13\n"
    "  mov 112+live(%rip), %r14\n"
    "  mov 120+live(%rip), %r15\n"
    "  mov 32+live(%rip), %rsp\n"
    "  jmp *128+live(%rip)\n"
    "oracle_exit:\n"
    "  mov %rax, 0+live(%rip)\n"
    "  mov %rcx, 8+live(%rip)\n"
    "  mov %rdx, 16+live(%rip)\n"
    "  mov %rbx, 24+live(%rip)\n"
    "  mov %rsp, 32+live(%rip)\n"
    "  mov %rbp, 40+live(%rip)\n"
    "  mov %rsi, 48+live(%rip)\n"
    "  mov %rdi, 56+live(%rip)\n"
    "  mov %r8, 64+live(%rip)\n"
    "  mov %r9, 72+live(%rip)\n"
    "  mov %r10, 80+live(%rip)\n"
    "  mov %r11, 88+live(%rip)\n"
    "  mov %r12, 96+live(%rip)\n"
    "  mov %r13, 104+live(%rip)\n"
    "  mov %r14, 112+live(%rip)\n"
    "  mov %r15, 120+live(%rip)\n"
    "  mov host_rsp(%rip), %rsp\n"
    "  pushfq\n"
    "  popq 136+live(%rip)\n"
    "  fxsave64 192+live(%rip)\n"
    "oracle_abandon:\n"
    "  mov host_rsp(%rip), %rsp\n"
    "  pushq $0x202\n" /* clears DF and AC, which C relies on */
    "  popfq\n"
    "  fninit\n"
    "  pushq $0x1f80\n"
    "  ldmxcsr (%rsp)\n"
    "  pop %rax\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n");

static const uint8_t TO_GREG[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void take_state(ucontext_t *context, uint32_t vector) {
  const greg_t *gregs = context->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) live.gpr[i] = (uint64_t)gregs[TO_GREG[i]];
  live.rip = (uint64_t)gregs[REG_RIP];
  live.rflags = (uint64_t)gregs[REG_EFL];
  live.vector = vector;
  live.error = (uint32_t)gregs[REG_ERR];
  live.address = vector == 14 ? (uint64_t)gregs[REG_CR2] : 0;
  memcpy(live.fx, context->uc_mcontext.fpregs, 512);
}

static void die(int code) {
  syscall(SYS_exit, code); /* exit_group is not in seccomp's strict mode */
}

/* AC may still be set by the sequence, and the handler's own stack accesses are not all aligned. */
#define CLEAR_AC __asm__ volatile("pushfq; andq $~0x40000, (%%rsp); popfq" ::: "memory", "cc")

static void on_fault(int number, siginfo_t *info, void *context) {
  CLEAR_AC;
  (void)number;
  (void)info;
  if (!in_guest) die(3);
  take_state(context, (uint32_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_TRAPNO]);
  oracle_abandon();
}

/* A tick of the process's own CPU time. A record that has seen two whole ticks runs away. */
static void on_tick(int number, siginfo_t *info, void *context) {
  static uint64_t seen, ticks;
  CLEAR_AC;
  (void)number;
  (void)info;
  if (!in_guest) return;
  if (seen != record_number) {
    seen = record_number;
    ticks = 0;
    return;
  }
  if (++ticks < 2) return;
  ticks = 0;
  take_state(context, RUNAWAY);
  live.error = 0;
  oracle_abandon();
}

static int read_all(void *to, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t got = read(0, (char *)to + done, size - done);
    if (got <= 0) return 0;
    done += (size_t)got;
  }
  return 1;
}

static void write_all(const void *from, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t put = write(1, (const char *)from + done, size - done);
    if (put <= 0) die(4);
    done += (size_t)put;
  }
}

static void *map(unsigned long at, size_t size, int protection, int flags, int fd) {
  void *got = mmap((void *)at, size, protection, flags, fd, 0);
  if (got == MAP_FAILED || (at != 0 && got != (void *)at)) _exit(5);
  return got;
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
  if (sigaction(number, &action, NULL) != 0) _exit(5);
}

static uint8_t *code_alias, *background, *shadow, *input, *output;

/* The chunks of data memory that are not as `shadow` says, written to `out`. Both are put back to the background. */
static uint32_t take_deltas(uint8_t **out) {
  uint32_t deltas = 0;
  uint8_t *data = (uint8_t *)DATA_BASE;
  for (uint32_t line = 0; line < DATA_SIZE; line += 256) {
    if (memcmp(data + line, shadow + line, 256) == 0) continue;
    for (uint32_t offset = line; offset < line + 256; offset += CHUNK) {
      if (memcmp(data + offset, shadow + offset, CHUNK) == 0) continue;
      memcpy(*out, &offset, 4);
      memset(*out + 4, 0, 4);
      memcpy(*out + 8, data + offset, CHUNK);
      *out += 8 + CHUNK;
      deltas++;
      memcpy(data + offset, background + offset, CHUNK);
    }
  }
  return deltas;
}

static const uint8_t *run_record(const uint8_t *in, const uint8_t *limit, uint8_t **out) {
  uint32_t code_bytes, patches;
  if (limit - in < (long)sizeof live + 8) die(6);
  memcpy(&live, in, sizeof live);
  memcpy(&code_bytes, in + sizeof live, 4);
  memcpy(&patches, in + sizeof live + 4, 4);
  in += sizeof live + 8;
  const uint8_t *code = in;
  uint64_t start = live.rip - CODE_BASE;
  if (code_bytes > CODE_SIZE || start > CODE_SIZE - code_bytes - 14 || patches > DATA_SIZE) die(6);
  in += (code_bytes + 7u) & ~7u;
  if (limit - in < (long)patches * (8 + CHUNK)) die(6);
  const uint8_t *patch = in;
  for (uint32_t i = 0; i < patches; i++, in += 8 + CHUNK) {
    uint32_t offset;
    memcpy(&offset, in, 4);
    if (offset > DATA_SIZE - CHUNK) die(6);
    memcpy((uint8_t *)DATA_BASE + offset, in + 8, CHUNK);
    memcpy(shadow + offset, in + 8, CHUNK);
  }
  memcpy(code_alias + start, code, code_bytes);
  /* At the end of the sequence: jmp [rip+0], then the address of the way out. */
  static const uint8_t JUMP[6] = {0xff, 0x25, 0, 0, 0, 0};
  void (*leave)(void) = oracle_exit;
  memcpy(code_alias + start + code_bytes, JUMP, 6);
  memcpy(code_alias + start + code_bytes + 6, &leave, 8);
  record_number++;
  live.vector = NO_VECTOR;
  live.error = 0;
  live.address = 0;
  live.rflags &= ~0x100ul; /* TF: single-stepping is no part of this */
  uint64_t end = live.rip + code_bytes;
  in_guest = 1;
  oracle_enter();
  in_guest = 0;
  if (live.vector == NO_VECTOR) live.rip = end;
  live.rflags &= ~0x10000ul; /* RF: set in what a fault pushes, seen by no instruction */
  memset(live.fx + 464, 0, 48);
  memset(code_alias + start, 0xcc, code_bytes + 14);
  uint8_t *head = *out;
  memcpy(head, &live, sizeof live);
  *out = head + sizeof live + 8;
  uint32_t deltas = take_deltas(out);
  memcpy(head + sizeof live, &deltas, 4);
  memset(head + sizeof live + 4, 0, 4);
  for (uint32_t i = 0; i < patches; i++, patch += 8 + CHUNK) {
    uint32_t offset;
    memcpy(&offset, patch, 4);
    memcpy((uint8_t *)DATA_BASE + offset, background + offset, CHUNK);
    memcpy(shadow + offset, background + offset, CHUNK);
  }
  return in;
}

static void set_up(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int fd = memfd_create("code", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, CODE_SIZE) != 0) _exit(5);
  map(CODE_BASE, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, fd);
  code_alias = map(0, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  memset(code_alias, 0xcc, CODE_SIZE);
  const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  map(DATA_BASE, DATA_SIZE, PROT_READ | PROT_WRITE, anonymous | MAP_FIXED_NOREPLACE, -1);
  background = map(0, DATA_SIZE, PROT_READ | PROT_WRITE, anonymous, -1);
  shadow = map(0, DATA_SIZE, PROT_READ | PROT_WRITE, anonymous, -1);
  input = map(0, BUFFER, PROT_READ | PROT_WRITE, anonymous | MAP_NORESERVE, -1);
  /* A record's answer is at most its state and a chunk and a head for each 16 bytes of data. */
  output = map(0, BUFFER + sizeof live + 8 + 2 * DATA_SIZE, PROT_READ | PROT_WRITE, anonymous | MAP_NORESERVE, -1);
  stack_t stack = {.ss_sp = map(0, 1 << 18, PROT_READ | PROT_WRITE, anonymous, -1), .ss_size = 1 << 18};
  if (sigaltstack(&stack, NULL) != 0) _exit(5);
  const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) handle(faults[i], on_fault);
  handle(SIGVTALRM, on_tick);
  struct itimerval tick = {{0, 20000}, {0, 20000}};
  if (setitimer(ITIMER_VIRTUAL, &tick, NULL) != 0) _exit(5);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(5);
}

int main(void) {
  set_up();
  for (;;) {
    uint32_t head[4];
    if (!read_all(head, sizeof head)) die(0);
    if (head[0] != MAGIC || head[3] > BUFFER) die(6);
    if (!read_all(input, head[3])) die(0);
    if (head[1] == 0) {
      if (head[3] != DATA_SIZE) die(6);
      memcpy(background, input, DATA_SIZE);
      memcpy(shadow, input, DATA_SIZE);
      memcpy((void *)DATA_BASE, input, DATA_SIZE);
      continue;
    }
    const uint8_t *in = input;
    uint8_t *out = output;
    for (uint32_t i = 0; i < head[2]; i++) {
      in = run_record(in, input + head[3], &out);
      if ((size_t)(out - output) > BUFFER) die(7);
    }
    const uint32_t answer[4] = {MAGIC, 0, head[2], (uint32_t)(out - output)};
    write_all(answer, sizeof answer);
    write_all(output, (size_t)(out - output));
  }
}
