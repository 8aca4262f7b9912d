// thread_atexit.c, as GCC 10 compiles it; see there.
	.arch armv8-a
	.file	"thread_atexit.c"
	.text
	.align	2
	.p2align 4,,11
	.type	create_key, %function
create_key:
.LFB18:
	.cfi_startproc
	stp	x29, x30, [sp, -32]!
	.cfi_def_cfa_offset 32
	.cfi_offset 29, -32
	.cfi_offset 30, -24
	adrp	x0, :got:pthread_once
	mov	x29, sp
	ldr	x0, [x0, #:got_lo12:pthread_once]
	str	x19, [sp, 16]
	.cfi_offset 19, -16
	cbz	x0, .L17
	adrp	x0, :got:pthread_key_create
	ldr	x0, [x0, #:got_lo12:pthread_key_create]
	cbz	x0, .L17
	adrp	x0, :got:pthread_getspecific
	ldr	x0, [x0, #:got_lo12:pthread_getspecific]
	cbz	x0, .L17
	adrp	x0, :got:pthread_setspecific
	ldr	x0, [x0, #:got_lo12:pthread_setspecific]
	cbz	x0, .L17
	adrp	x19, .LANCHOR0
	add	x0, x19, :lo12:.LANCHOR0
	adrp	x1, thread_ends
	add	x0, x0, 4
	add	x1, x1, :lo12:thread_ends
	bl	pthread_key_create
	cbz	w0, .L3
	mov	w0, 1
	str	w0, [x19, #:lo12:.LANCHOR0]
	ldr	x19, [sp, 16]
	ldp	x29, x30, [sp], 32
	.cfi_remember_state
	.cfi_restore 30
	.cfi_restore 29
	.cfi_restore 19
	.cfi_def_cfa_offset 0
	ret
	.p2align 2,,3
.L17:
	.cfi_restore_state
	adrp	x19, .LANCHOR0
.L3:
	str	wzr, [x19, #:lo12:.LANCHOR0]
	adrp	x2, __dso_handle
	ldr	x19, [sp, 16]
	add	x2, x2, :lo12:__dso_handle
	ldp	x29, x30, [sp], 32
	.cfi_restore 30
	.cfi_restore 29
	.cfi_restore 19
	.cfi_def_cfa_offset 0
	adrp	x0, program_ends
	mov	x1, 0
	add	x0, x0, :lo12:program_ends
	b	__cxa_atexit
	.cfi_endproc
.LFE18:
	.size	create_key, .-create_key
	.align	2
	.p2align 4,,11
	.type	destroy_all, %function
destroy_all:
.LFB15:
	.cfi_startproc
	stp	x29, x30, [sp, -48]!
	.cfi_def_cfa_offset 48
	.cfi_offset 29, -48
	.cfi_offset 30, -40
	adrp	x3, :got:pthread_key_create
	adrp	x2, :got:pthread_once
	mov	x29, sp
	adrp	x1, :got:pthread_setspecific
	ldr	x3, [x3, #:got_lo12:pthread_key_create]
	adrp	x0, :got:pthread_getspecific
	ldr	x2, [x2, #:got_lo12:pthread_once]
	cmp	x3, 0
	ldr	x1, [x1, #:got_lo12:pthread_setspecific]
	ccmp	x2, 0, 4, ne
	ldr	x0, [x0, #:got_lo12:pthread_getspecific]
	str	x21, [sp, 32]
	.cfi_offset 21, -16
	cset	w21, ne
	cmp	x1, 0
	ccmp	x0, 0, 4, ne
	stp	x19, x20, [sp, 16]
	.cfi_offset 19, -32
	.cfi_offset 20, -24
	cset	w0, ne
	adrp	x20, .LANCHOR0
	and	w21, w21, w0
	add	x20, x20, :lo12:.LANCHOR0
	cbnz	w21, .L27
	.p2align 3,,7
.L21:
	ldr	x19, [x20, 8]
	cbz	x19, .L19
	ldr	x0, [x19, 16]
	str	x0, [x20, 8]
.L25:
	ldp	x1, x0, [x19]
	blr	x1
	mov	x0, x19
	bl	free
	cbz	w21, .L21
.L27:
	ldr	w0, [x20, 4]
	bl	pthread_getspecific
	mov	x19, x0
	cbz	x0, .L19
	ldr	w0, [x20, 4]
	ldr	x1, [x19, 16]
	bl	pthread_setspecific
	b	.L25
	.p2align 2,,3
.L19:
	ldp	x19, x20, [sp, 16]
	ldr	x21, [sp, 32]
	ldp	x29, x30, [sp], 48
	.cfi_restore 30
	.cfi_restore 29
	.cfi_restore 21
	.cfi_restore 19
	.cfi_restore 20
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
.LFE15:
	.size	destroy_all, .-destroy_all
	.align	2
	.p2align 4,,11
	.type	program_ends, %function
program_ends:
.LFB17:
	.cfi_startproc
	b	destroy_all
	.cfi_endproc
.LFE17:
	.size	program_ends, .-program_ends
	.align	2
	.p2align 4,,11
	.type	thread_ends, %function
thread_ends:
.LFB16:
	.cfi_startproc
	adrp	x5, :got:pthread_once
	adrp	x4, :got:pthread_key_create
	adrp	x3, :got:pthread_getspecific
	adrp	x2, :got:pthread_setspecific
	ldr	x5, [x5, #:got_lo12:pthread_once]
	ldr	x4, [x4, #:got_lo12:pthread_key_create]
	cmp	x5, 0
	ldr	x3, [x3, #:got_lo12:pthread_getspecific]
	ccmp	x4, 0, 4, ne
	ldr	x2, [x2, #:got_lo12:pthread_setspecific]
	cset	w4, ne
	cmp	x3, 0
	ccmp	x2, 0, 4, ne
	cset	w1, ne
	tst	w4, w1
	bne	.L41
	adrp	x1, .LANCHOR0+8
	str	x0, [x1, #:lo12:.LANCHOR0+8]
	b	destroy_all
	.p2align 2,,3
.L41:
	stp	x29, x30, [sp, -16]!
	.cfi_def_cfa_offset 16
	.cfi_offset 29, -16
	.cfi_offset 30, -8
	adrp	x2, .LANCHOR0+4
	mov	x1, x0
	mov	x29, sp
	ldr	w0, [x2, #:lo12:.LANCHOR0+4]
	bl	pthread_setspecific
	cbnz	w0, .L42
	ldp	x29, x30, [sp], 16
	.cfi_remember_state
	.cfi_restore 30
	.cfi_restore 29
	.cfi_def_cfa_offset 0
	b	destroy_all
	.p2align 2,,3
.L42:
	.cfi_restore_state
	ldp	x29, x30, [sp], 16
	.cfi_restore 30
	.cfi_restore 29
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
.LFE16:
	.size	thread_ends, .-thread_ends
	.align	2
	.p2align 4,,11
	.global	__cxa_thread_atexit
	.type	__cxa_thread_atexit, %function
__cxa_thread_atexit:
.LFB20:
	.cfi_startproc
	adrp	x3, :got:__cxa_thread_atexit_impl
	ldr	x3, [x3, #:got_lo12:__cxa_thread_atexit_impl]
	cbz	x3, .L44
	b	__cxa_thread_atexit_impl
	.p2align 2,,3
.L44:
	stp	x29, x30, [sp, -64]!
	.cfi_def_cfa_offset 64
	.cfi_offset 29, -64
	.cfi_offset 30, -56
	adrp	x3, :got:pthread_getspecific
	adrp	x2, :got:pthread_setspecific
	mov	x29, sp
	ldr	x3, [x3, #:got_lo12:pthread_getspecific]
	stp	x21, x22, [sp, 32]
	.cfi_offset 21, -32
	.cfi_offset 22, -24
	mov	x21, x1
	adrp	x1, :got:pthread_key_create
	mov	x22, x0
	ldr	x2, [x2, #:got_lo12:pthread_setspecific]
	adrp	x0, :got:pthread_once
	ldr	x1, [x1, #:got_lo12:pthread_key_create]
	cmp	x3, 0
	ldr	x0, [x0, #:got_lo12:pthread_once]
	ccmp	x2, 0, 4, ne
	cset	w2, ne
	cmp	x1, 0
	ccmp	x0, 0, 4, ne
	stp	x19, x20, [sp, 16]
	cset	w0, ne
	stp	x23, x24, [sp, 48]
	.cfi_offset 19, -48
	.cfi_offset 20, -40
	.cfi_offset 23, -16
	.cfi_offset 24, -8
	adrp	x20, .LANCHOR0
	ands	w24, w2, w0
	bne	.L61
	add	x3, x20, :lo12:.LANCHOR0
	ldr	w0, [x3, 20]
	cbz	w0, .L62
.L46:
	ldr	w23, [x20, #:lo12:.LANCHOR0]
	add	x20, x20, :lo12:.LANCHOR0
	cbnz	w23, .L49
	mov	x0, 24
	bl	malloc
	mov	x19, x0
	cbz	x0, .L49
	stp	x22, x21, [x0]
	cbnz	w24, .L63
	ldr	x0, [x20, 8]
	str	x19, [x20, 8]
	str	x0, [x19, 16]
.L43:
	mov	w0, w23
	ldp	x19, x20, [sp, 16]
	ldp	x21, x22, [sp, 32]
	ldp	x23, x24, [sp, 48]
	ldp	x29, x30, [sp], 64
	.cfi_remember_state
	.cfi_restore 30
	.cfi_restore 29
	.cfi_restore 23
	.cfi_restore 24
	.cfi_restore 21
	.cfi_restore 22
	.cfi_restore 19
	.cfi_restore 20
	.cfi_def_cfa_offset 0
	ret
	.p2align 2,,3
.L62:
	.cfi_restore_state
	mov	w4, 1
	str	wzr, [x20, #:lo12:.LANCHOR0]
	adrp	x2, __dso_handle
	adrp	x0, program_ends
	add	x2, x2, :lo12:__dso_handle
	mov	x1, 0
	add	x0, x0, :lo12:program_ends
	str	w4, [x3, 20]
	bl	__cxa_atexit
	b	.L46
	.p2align 2,,3
.L61:
	add	x0, x20, :lo12:.LANCHOR0
	adrp	x1, create_key
	add	x0, x0, 16
	add	x1, x1, :lo12:create_key
	bl	pthread_once
	b	.L46
	.p2align 2,,3
.L63:
	ldr	w0, [x20, 4]
	bl	pthread_getspecific
	mov	x2, x0
	ldr	w0, [x20, 4]
	mov	x1, x19
	str	x2, [x19, 16]
	bl	pthread_setspecific
	mov	w23, w0
	cbz	w0, .L43
	mov	x0, x19
	mov	w23, -1
	bl	free
	b	.L43
.L49:
	mov	w23, -1
	b	.L43
	.cfi_endproc
.LFE20:
	.size	__cxa_thread_atexit, .-__cxa_thread_atexit
	.bss
	.align	3
	.set	.LANCHOR0,. + 0
	.type	key_failed, %object
	.size	key_failed, 4
key_failed:
	.zero	4
	.type	key, %object
	.size	key, 4
key:
	.zero	4
	.type	only_thread, %object
	.size	only_thread, 8
only_thread:
	.zero	8
	.type	once, %object
	.size	once, 4
once:
	.zero	4
	.type	done.0, %object
	.size	done.0, 4
done.0:
	.zero	4
	.weak	__cxa_thread_atexit_impl
	.weak	pthread_setspecific
	.weak	pthread_getspecific
	.weak	pthread_key_create
	.weak	pthread_once
	.hidden	__dso_handle
	.ident	"GCC: (Debian 10.2.1-6) 10.2.1 20210110"
	.section	.note.GNU-stack,"",@progbits
