// As triple_fault, from ring 3: RSP0 and the stack of the double fault lie in a page that is not
// present, as after a stack overflow of a kernel.
//: stop triple-fault
//: cs.selector 0x2b
//: cr2 0xa0fd0
//: rsp 0x9ff00
#include "guest.inc"

test:
    mov qword ptr [PTE(0xa0000)], 0
    mov qword ptr [tss_rsp0], 0xa1000
    mov qword ptr [tss_ist1], 0xa1000
    enter_user user_code

.section .user, "awx"
user_code:
    hlt
