/* The kernel's side: the shim has no libc, so that it builds in milliseconds and runs anywhere. */

#ifndef __x86_64__
#error "the shim is an x86-64 program: it stands in for an emulated compiler"
#endif

typedef unsigned long size_t;
typedef long ssize_t;
#define NULL ((void *)0)

enum {
    SYS_read = 0, SYS_write = 1, SYS_open = 2, SYS_close = 3, SYS_fstat = 5, SYS_lseek = 8,
    SYS_mmap = 9, SYS_access = 21, SYS_dup2 = 33, SYS_getpid = 39, SYS_fork = 57, SYS_execve = 59,
    SYS_exit = 60, SYS_wait4 = 61, SYS_kill = 62, SYS_getcwd = 79, SYS_getppid = 110,
    SYS_rt_sigaction = 13, SYS_prctl = 157, SYS_clock_gettime = 228, SYS_memfd_create = 319,
};
enum { O_RDONLY = 0, O_WRONLY = 1, O_APPEND = 02000, O_CLOEXEC = 02000000, F_EXISTS = 0 };
enum { MFD_CLOEXEC = 1, PR_SET_PDEATHSIG = 1, CLOCK_MONOTONIC = 1 };
enum { SIGINT = 2, SIGQUIT = 3, SIGKILL = 9, EINTR = 4 };

static long call6(long n, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#define CALL(n, a, b, c) call6((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)

/* A compiler may call these by itself. */
void *memcpy(void *to, const void *from, size_t n)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return start;
}

void *memset(void *to, int value, size_t n)
{
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
    return start;
}

_Noreturn static void leave(int status)
{
    for (;;)
        CALL(SYS_exit, status, 0, 0);
}

static void write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        long done = CALL(SYS_write, fd, bytes, n);
        if (done == -EINTR)
            continue;
        if (done <= 0)
            return;
        bytes += done;
        n -= (size_t)done;
    }
}

static long milliseconds(void)
{
    long now[2] = {0, 0};
    CALL(SYS_clock_gettime, CLOCK_MONOTONIC, now, 0);
    return now[0] * 1000 + now[1] / 1000000;
}

/* Ends as a child ended: the same status, or killed by the same signal. */
_Noreturn static void end_like(int wait_status)
{
    int sig = wait_status & 0x7f;
    if (sig != 0) {
        long action[4] = {0, 0, 0, 0}; /* SIG_DFL */
        call6(SYS_rt_sigaction, sig, (long)action, 0, 8, 0, 0);
        CALL(SYS_kill, CALL(SYS_getpid, 0, 0, 0), sig, 0);
        leave(128 + sig);
    }
    leave((wait_status >> 8) & 0xff);
}

int shim_main(int argc, char **argv, char **envp);

__attribute__((used)) _Noreturn static void begin(long *stack)
{
    char **argv = (char **)(stack + 1);
    leave(shim_main((int)stack[0], argv, argv + stack[0] + 1));
}

__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call begin\n"
        "    hlt\n");
