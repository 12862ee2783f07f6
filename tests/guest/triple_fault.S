// A fault that even the double fault's handler cannot take stops the machine, at the instruction
// that began it (APM vol. 2, 8.2.9).
//: stop triple-fault
//: rip 0xa0000
//: cs.selector 0x8
//: rax 0x1234
#include "guest.inc"

test:
    mov byte ptr [0xa0000], 0x0f                    // UD2
    mov byte ptr [0xa0001], 0x0b
    mov word ptr [idt_pointer], 0
    lidt [idt_pointer]
    mov eax, 0x1234
    mov ebx, 0xa0000
    jmp rbx
