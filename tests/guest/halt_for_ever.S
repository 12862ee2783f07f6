// HLT with interrupts disabled and nothing that could wake it: the machine says that it is idle.
//: stop idle
//: halted 1
//: rax 0x77
#include "guest.inc"

test:
    mov eax, 0x77
    hlt
    UNREACHABLE
