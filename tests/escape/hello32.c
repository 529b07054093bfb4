/* A 32-bit program without a library: says that it ran, so that the seccomp filter's architecture check can be seen. */
void _start(void);

void _start(void)
{
	static const char text[] = "ACHIEVED a 32-bit program\n";
	int ignored;
	__asm__ volatile("int $0x80" : "=a"(ignored) : "a"(4), "b"(1), "c"(text), "d"(sizeof(text) - 1) : "memory");
	__asm__ volatile("int $0x80" : "=a"(ignored) : "a"(1), "b"(0));
}
