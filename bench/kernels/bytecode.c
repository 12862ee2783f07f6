// An interpreter of a small stack machine: an indirect jump for each instruction.
#include "measure.h"

enum Opcode { kPush, kLoad, kStore, kAdd, kSubtract, kXor, kMultiply, kJumpIfNotZero, kHalt };

struct Instruction {
    uint32_t opcode;
    int32_t operand;
};

static size_t iterations;

// clang-format off
static const struct Instruction kProgram[] = {
    {kPush, 0},  {kStore, 1},                                      // sum = 0
    {kLoad, 1},  {kLoad, 0},   {kMultiply, 0}, {kPush, 12345},     // sum * n, 12345
    {kXor, 0},   {kLoad, 0},   {kAdd, 0},      {kStore, 1},        // sum = (...) ^ 12345 + n
    {kLoad, 1},  {kPush, 3},   {kSubtract, 0}, {kStore, 2},        // other = sum - 3
    {kLoad, 2},  {kLoad, 1},   {kXor, 0},      {kLoad, 1},
    {kAdd, 0},   {kStore, 1},                                      // sum += other ^ sum
    {kLoad, 0},  {kPush, 1},   {kSubtract, 0}, {kStore, 0},        // n = n - 1
    {kLoad, 0},  {kJumpIfNotZero, 2},
    {kHalt, 0},
};
// clang-format on

static __attribute__((noinline)) uint64_t interpret(const struct Instruction* program,
                                                    uint64_t* variables) {
    uint64_t stack[16];
    uint64_t* top = stack;
    for (const struct Instruction* i = program;; ++i) {
        switch (i->opcode) {
            case kPush:
                *++top = (uint64_t)i->operand;
                break;
            case kLoad:
                *++top = variables[i->operand];
                break;
            case kStore:
                variables[i->operand] = *top--;
                break;
            case kAdd:
                top[-1] += *top;
                --top;
                break;
            case kSubtract:
                top[-1] -= *top;
                --top;
                break;
            case kXor:
                top[-1] ^= *top;
                --top;
                break;
            case kMultiply:
                top[-1] *= *top;
                --top;
                break;
            case kJumpIfNotZero:
                if (*top-- != 0)
                    i = program + i->operand - 1;
                break;
            default:
                return variables[1];
        }
    }
}

uint64_t prepare(double scale) {
    iterations = scaled(1.2e6, scale);
    return 1;
}

uint64_t run(void) {
    uint64_t variables[4] = {iterations, 0, 0, 0};
    return interpret(kProgram, variables);
}
