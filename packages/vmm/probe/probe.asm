; The probe guest: a few hundred instructions that use guest memory as a confidential guest does, and say what they see.
; 64-bit, flat, entered at its first byte with RSI = parameter page, a stack, interrupts off, page tables by load.ts:
; memory at its own address (private where there is a C bit), and a second window without the C bit.
; Numbers are those of layout.ts. Assemble: nasm -f bin -O2 -o probe.bin probe.asm
;
; It says one line for each thing done or found, beginning with "probe: ", on COM1, without waiting for the
; transmitter: the VMM's is always empty. No IDT: a fault ends in a triple fault, which the VMM sees as a shutdown.

bits 64
default rel
org 0x100000

COM1            equ 0x3f8
CONVERSION_PORT equ 0x5e0
PROBE_PORT      equ 0x5f0
EXIT_PORT       equ 0x80
COMMAND_EXCHANGE equ 1
COMMAND_END     equ 2

EXCHANGE        equ 0x180000
PAGE            equ 4096
WORDS           equ 512                  ; 64-bit words a page
UNALIGNED       equ 0x800                ; where the misreporting flavour's buffer begins in its first page

; parameter page
P_MAGIC         equ 0x00
P_FLAVOUR       equ 0x08
P_CHANNEL       equ 0x0c
P_SHARED        equ 0x10
P_LOW_GPA       equ 0x18
P_LOW_SIZE      equ 0x20
P_HIGH_GPA      equ 0x28
P_HIGH_SIZE     equ 0x30
P_PAGES         equ 0x38
P_GUEST_SEED    equ 0x40
P_HOST_SEED     equ 0x48
P_C_BIT         equ 0x50
P_ROUNDS        equ 0x58
P_EXITS         equ 0x60

MAGIC           equ 0x4252504e49504e55
FLAVOUR_HONEST  equ 0
FLAVOUR_SILENT  equ 1
FLAVOUR_LYING   equ 2
FLAVOUR_MISREPORTING equ 3
CHANNEL_NONE    equ 0
CHANNEL_VMMCALL equ 1
CHANNEL_VMCALL  equ 2
CHANNEL_DOORBELL equ 3
NO_C_BIT        equ 0xff

HC_MAP_GPA_RANGE equ 12
TO_SHARED       equ 0
TO_PRIVATE      equ 0x10

STEP            equ 0x0101010101010101
NEIGHBOUR       equ 0x4e4e4e4e4e4e4e4e   ; what the neighbours of the exchanged pages hold
OLD_PRIVATE     equ 0x5050505050505050   ; what the exchanged pages hold before they are shared
NEW_PRIVATE     equ 0x5151515151515151   ; and after they were taken back

; Registers that keep their meaning: R15 parameters, R14 things found wrong, R13 shared window, R12 exchanged pages.

start:
        cld
        mov r15, rsi
        xor r14d, r14d
        mov r13, [r15 + P_SHARED]
        mov r12, [r15 + P_PAGES]
        mov rax, MAGIC
        cmp [r15 + P_MAGIC], rax
        jne bad_parameters
        call say_hello
        call touch
        test r12, r12
        jz .no_exchange
        call prepare
        call share
        call exchange
        call take_back
        cmp dword [r15 + P_FLAVOUR], FLAVOUR_LYING
        jne .neighbours
        call use_both_views
.neighbours:
        call check_neighbours
        call rounds
.no_exchange:
        call exits
        call check_touched
finish:
        lea rsi, [s_done]
        call print
        mov rax, r14
        call print_decimal
        lea rsi, [s_wrong]
        call print
        xor edi, edi
        mov esi, r14d
        mov edx, COMMAND_END
        mov ecx, PROBE_PORT
        call ring
halt:
        cli
        hlt
        jmp halt

bad_parameters:
        inc r14
        lea rsi, [s_bad_parameters]
        call print
        jmp finish

; --- what the probe does -------------------------------------------------------------------------------------------

say_hello:
        lea rsi, [s_hello]
        call print
        mov eax, [r15 + P_FLAVOUR]
        lea rsi, [flavour_names]
        call print_name
        lea rsi, [s_channel]
        call print
        mov eax, [r15 + P_CHANNEL]
        lea rsi, [channel_names]
        call print_name
        cmp qword [r15 + P_C_BIT], NO_C_BIT
        je .none
        lea rsi, [s_c_bit]
        call print
        mov rax, [r15 + P_C_BIT]
        call print_decimal
        jmp newline
.none:
        lea rsi, [s_no_c_bit]
        jmp print

; One word a page: its own address, XORed with the seed.
touch:
        mov rdi, [r15 + P_LOW_GPA]
        mov rcx, [r15 + P_LOW_SIZE]
        call .range
        mov rdi, [r15 + P_HIGH_GPA]
        mov rcx, [r15 + P_HIGH_SIZE]
        call .range
        mov rax, [r15 + P_LOW_SIZE]
        add rax, [r15 + P_HIGH_SIZE]
        call print_bytes_of
        lea rsi, [s_touched]
        jmp print
.range:
        shr rcx, 12
        jz .done
        mov rdx, [r15 + P_GUEST_SEED]
.next:
        mov rax, rdi
        xor rax, rdx
        mov [rdi], rax
        add rdi, PAGE
        dec rcx
        jnz .next
.done:
        ret

check_touched:
        xor r8d, r8d                     ; pages that hold something else
        mov rdi, [r15 + P_LOW_GPA]
        mov rcx, [r15 + P_LOW_SIZE]
        call .range
        mov rdi, [r15 + P_HIGH_GPA]
        mov rcx, [r15 + P_HIGH_SIZE]
        call .range
        test r8, r8
        jnz .lost
        mov rax, [r15 + P_LOW_SIZE]
        add rax, [r15 + P_HIGH_SIZE]
        call print_bytes_of
        lea rsi, [s_intact]
        jmp print
.lost:
        inc r14
        lea rsi, [s_prefix]
        call print
        mov rax, r8
        call print_decimal
        lea rsi, [s_lost]
        jmp print
.range:
        shr rcx, 12
        jz .done
        mov rdx, [r15 + P_GUEST_SEED]
.next:
        mov rax, [rdi]
        xor rax, rdx
        cmp rax, rdi
        je .same
        inc r8
.same:
        add rdi, PAGE
        dec rcx
        jnz .next
.done:
        ret

; Private words in the pages that will be exchanged, in the one before and in the two behind.
prepare:
        mov edi, EXCHANGE - PAGE
        mov ecx, WORDS
        mov rax, NEIGHBOUR
        rep stosq
        mov rcx, r12
        shl rcx, 9
        mov rax, OLD_PRIVATE
        rep stosq
        mov ecx, 2 * WORDS
        mov rax, NEIGHBOUR
        rep stosq
        ret

; Reports the exchanged pages as shared. The lying flavour reports one more. The misreporting one does so by mistake: its
; buffer begins inside the first page and ends with the last, and it rounds the size up and adds a page for the
; unaligned beginning, as kernels counted pages for this hypercall before 6.6 (CVE-2023-53996).
share:
        cmp dword [r15 + P_CHANNEL], CHANNEL_NONE
        je .unreported
        mov edi, EXCHANGE
        mov rsi, r12
        cmp dword [r15 + P_FLAVOUR], FLAVOUR_LYING
        je .one_more
        cmp dword [r15 + P_FLAVOUR], FLAVOUR_MISREPORTING
        jne .count
        shl rsi, 12
        sub rsi, UNALIGNED
        add rsi, PAGE - 1
        shr rsi, 12
.one_more:
        inc rsi
.count:
        mov edx, TO_SHARED
        call convert
        test rax, rax
        jnz .refused
        lea rsi, [s_prefix]
        call print
        mov rax, r12
        call print_decimal
        lea rsi, [s_shared]
        jmp print
.refused:
        inc r14
        lea rsi, [s_share_refused]
        jmp print
.unreported:
        lea rsi, [s_unreported]
        jmp print

; Writes the guest's pattern through the shared window, lets the host read it and write its own, and reads that.
exchange:
        lea rdi, [r13 + EXCHANGE]
        mov rcx, r12
        shl rcx, 9
        mov rax, [r15 + P_GUEST_SEED]
        mov rdx, STEP
.fill:
        stosq
        add rax, rdx
        dec rcx
        jnz .fill
        mov edi, EXCHANGE
        mov esi, r12d
        mov edx, COMMAND_EXCHANGE
        mov ecx, PROBE_PORT
        call ring
        test eax, eax
        jz .host_ok
        inc r14
        lea rsi, [s_host_refused]
        jmp print
.host_ok:
        lea rsi, [s_host_read]
        call print
        lea rsi, [r13 + EXCHANGE]
        mov rcx, r12
        shl rcx, 9
        mov rbx, [r15 + P_HOST_SEED]
        mov rdx, STEP
.check:
        lodsq
        cmp rax, rbx
        jne .wrong
        add rbx, rdx
        dec rcx
        jnz .check
        lea rsi, [s_host_wrote]
        jmp print
.wrong:
        inc r14
        lea rsi, [s_host_lost]
        jmp print

; Makes the pages private again, says what they hold (nothing is promised), writes and reads them as private.
take_back:
        cmp dword [r15 + P_CHANNEL], CHANNEL_NONE
        je .look
        mov edi, EXCHANGE
        mov rsi, r12
        mov edx, TO_PRIVATE
        call convert
        test rax, rax
        jz .look
        inc r14
        lea rsi, [s_take_refused]
        jmp print
.look:
        mov rbx, [abs EXCHANGE]
        lea rsi, [s_back_zeros]
        test rbx, rbx
        jz .say
        lea rsi, [s_back_private]
        mov rax, OLD_PRIVATE
        cmp rbx, rax
        je .say
        lea rsi, [s_back_shared]
        mov rax, [r15 + P_HOST_SEED]
        cmp rbx, rax
        je .say
        lea rsi, [s_back_other]
.say:
        call print
        mov edi, EXCHANGE
        mov rcx, r12
        shl rcx, 9
        mov rax, NEW_PRIVATE
        rep stosq
        mov edi, EXCHANGE
        mov rcx, r12
        shl rcx, 9
        repe scasq
        je .kept
        inc r14
        lea rsi, [s_back_lost]
        jmp print
.kept:
        ret

; The second page behind was never reported: a write through the private window, a read through the other.
use_both_views:
        mov rdi, r12
        inc rdi
        shl rdi, 12
        add rdi, EXCHANGE
        mov rax, NEIGHBOUR
        mov [rdi], rax
        lea rsi, [s_views_same]
        cmp [rdi + r13], rax
        je print
        lea rsi, [s_views_differ]
        jmp print

check_neighbours:
        mov rax, NEIGHBOUR
        mov edi, EXCHANGE - PAGE
        mov ecx, WORDS
        repe scasq
        jne .lost
        mov rdi, r12
        shl rdi, 12
        add rdi, EXCHANGE
        mov ecx, 2 * WORDS
        repe scasq
        jne .lost
        lea rsi, [s_neighbours]
        jmp print
.lost:
        inc r14
        lea rsi, [s_neighbours_lost]
        jmp print

; Shares and takes back the same pages again and again, with one word through each view.
rounds:
        mov rbp, [r15 + P_ROUNDS]
        test rbp, rbp
        jz .none
.next:
        mov edi, EXCHANGE
        mov rsi, r12
        mov edx, TO_SHARED
        call convert
        mov [r13 + EXCHANGE], rbp
        cmp [r13 + EXCHANGE], rbp
        jne .lost
        mov edi, EXCHANGE
        mov rsi, r12
        mov edx, TO_PRIVATE
        call convert
        mov [abs EXCHANGE], rbp
        cmp [abs EXCHANGE], rbp
        jne .lost
        dec rbp
        jnz .next
        lea rsi, [s_prefix]
        call print
        mov rax, [r15 + P_ROUNDS]
        call print_decimal
        lea rsi, [s_rounds]
        jmp print
.lost:
        inc r14
        lea rsi, [s_round_lost]
        jmp print
.none:
        ret

; Plain exits, for whoever measures them.
exits:
        mov rcx, [r15 + P_EXITS]
        test rcx, rcx
        jz .none
        lea rsi, [s_exits_begin]
        call print
        xor eax, eax
        mov rcx, [r15 + P_EXITS]
.next:
        out EXIT_PORT, al
        dec rcx
        jnz .next
        lea rsi, [s_exits_end]
        jmp print
.none:
        ret

; --- how it speaks to the VMM --------------------------------------------------------------------------------------

; RDI address, RSI pages, RDX attributes -> RAX 0 or a negative errno. Without a channel nothing is said.
convert:
        mov eax, [r15 + P_CHANNEL]
        cmp eax, CHANNEL_DOORBELL
        je .doorbell
        cmp eax, CHANNEL_NONE
        je .nothing
        push rbx
        mov rbx, rdi
        mov rcx, rsi
        cmp eax, CHANNEL_VMCALL
        mov eax, HC_MAP_GPA_RANGE
        je .vmcall
        vmmcall
        pop rbx
        ret
.vmcall:
        vmcall
        pop rbx
        ret
.doorbell:
        mov ecx, CONVERSION_PORT
        call ring
        cdqe
        ret
.nothing:
        xor eax, eax
        ret

; A doorbell at port ECX: RDI address, ESI count, EDX command -> EAX result.
ring:
        mov r8d, edx
        mov edx, ecx
        mov rax, rdi
        shr rax, 12
        out dx, eax
        add edx, 4
        mov eax, esi
        out dx, eax
        add edx, 4
        mov eax, r8d
        out dx, eax
        add edx, 4
        in eax, dx
        ret

; --- text ----------------------------------------------------------------------------------------------------------

newline:
        lea rsi, [s_newline]
; RSI text with a NUL.
print:
        mov edx, COM1
.next:
        lodsb
        test al, al
        jz .done
        out dx, al
        jmp .next
.done:
        ret

; "probe: " and RAX in decimal.
print_bytes_of:
        push rax
        lea rsi, [s_prefix]
        call print
        pop rax
; RAX in decimal.
print_decimal:
        mov ecx, 10
        mov rdi, rsp
        sub rsp, 32
        dec rdi
        mov byte [rdi], 0
.next:
        xor edx, edx
        div rcx
        add dl, '0'
        dec rdi
        mov [rdi], dl
        test rax, rax
        jnz .next
        mov rsi, rdi
        call print
        add rsp, 32
        ret

; Name number EAX of a list of NUL-terminated names at RSI.
print_name:
        mov ecx, eax
.skip:
        test ecx, ecx
        jz print
.byte:
        lodsb
        test al, al
        jnz .byte
        dec ecx
        jmp .skip

s_newline       db 10, 0
s_prefix        db "probe: ", 0
s_hello         db "probe: flavour ", 0
s_channel       db ", conversions by ", 0
s_c_bit         db ", C bit ", 0
s_no_c_bit      db ", no C bit", 10, 0
s_touched       db " bytes of private memory touched", 10, 0
s_intact        db " bytes of private memory intact", 10, 0
s_lost          db " pages of private memory lost", 10, 0
s_shared        db " pages shared", 10, 0
s_unreported    db "probe: pages shared without a report", 10, 0
s_share_refused db "probe: sharing was refused", 10, 0
s_host_read     db "probe: the host read what was shared", 10, 0
s_host_refused  db "probe: the host did not see what was shared", 10, 0
s_host_wrote    db "probe: what the host wrote has arrived", 10, 0
s_host_lost     db "probe: what the host wrote has not arrived", 10, 0
s_take_refused  db "probe: taking back was refused", 10, 0
s_back_zeros    db "probe: seen as private again: zeros", 10, 0
s_back_private  db "probe: seen as private again: what was private before", 10, 0
s_back_shared   db "probe: seen as private again: what was shared", 10, 0
s_back_other    db "probe: seen as private again: something else", 10, 0
s_back_lost     db "probe: private words lost", 10, 0
s_views_same    db "probe: a page reads the same through both views", 10, 0
s_views_differ  db "probe: a page reads differently through the other view", 10, 0
s_neighbours    db "probe: neighbours intact", 10, 0
s_neighbours_lost db "probe: neighbours lost", 10, 0
s_rounds        db " rounds of sharing and taking back", 10, 0
s_round_lost    db "probe: a round lost its word", 10, 0
s_exits_begin   db "probe: exits begin", 10, 0
s_exits_end     db "probe: exits end", 10, 0
s_done          db "probe: done, ", 0
s_wrong         db " wrong", 10, 0
s_bad_parameters db "probe: no parameters", 10, 0
flavour_names   db "honest", 0, "silent", 0, "lying", 0, "misreporting", 0
channel_names   db "nothing", 0, "vmmcall", 0, "vmcall", 0, "doorbell", 0
