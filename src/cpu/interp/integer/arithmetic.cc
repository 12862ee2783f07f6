// ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG.
#include "cpu/interp/integer/alu.h"
#include "cpu/interp/integer/binary.h"

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet ADD_Eb_Gb = b_rows<BinaryToE<Add, FromG>>();
constexpr HandlerSet ADD_Ev_Gv = v_rows<BinaryToE<Add, FromG>>();
constexpr HandlerSet ADD_Gb_Eb = b_rows<BinaryToG<Add>>();
constexpr HandlerSet ADD_Gv_Ev = v_rows<BinaryToG<Add>>();
constexpr HandlerSet ADD_AL_Ib = b_rows_at<BinaryToA<Add>, Place::kRegister>();
constexpr HandlerSet ADD_rAX_Iz = v_rows_at<BinaryToA<Add>, Place::kRegister>();
constexpr HandlerSet ADD_Eb_Ib = b_rows<BinaryToE<Add, FromImmediate>>();
constexpr HandlerSet ADD_Ev_Iz = v_rows<BinaryToE<Add, FromImmediate>>();
constexpr HandlerSet ADD_Ev_Ib = ADD_Ev_Iz;

constexpr HandlerSet ADC_Eb_Gb = b_rows<BinaryToE<AddWithCarry, FromG>>();
constexpr HandlerSet ADC_Ev_Gv = v_rows<BinaryToE<AddWithCarry, FromG>>();
constexpr HandlerSet ADC_Gb_Eb = b_rows<BinaryToG<AddWithCarry>>();
constexpr HandlerSet ADC_Gv_Ev = v_rows<BinaryToG<AddWithCarry>>();
constexpr HandlerSet ADC_AL_Ib = b_rows_at<BinaryToA<AddWithCarry>, Place::kRegister>();
constexpr HandlerSet ADC_rAX_Iz = v_rows_at<BinaryToA<AddWithCarry>, Place::kRegister>();
constexpr HandlerSet ADC_Eb_Ib = b_rows<BinaryToE<AddWithCarry, FromImmediate>>();
constexpr HandlerSet ADC_Ev_Iz = v_rows<BinaryToE<AddWithCarry, FromImmediate>>();
constexpr HandlerSet ADC_Ev_Ib = ADC_Ev_Iz;

constexpr HandlerSet SUB_Eb_Gb = b_rows<BinaryToE<Subtract, FromG>>();
constexpr HandlerSet SUB_Ev_Gv = v_rows<BinaryToE<Subtract, FromG>>();
constexpr HandlerSet SUB_Gb_Eb = b_rows<BinaryToG<Subtract>>();
constexpr HandlerSet SUB_Gv_Ev = v_rows<BinaryToG<Subtract>>();
constexpr HandlerSet SUB_AL_Ib = b_rows_at<BinaryToA<Subtract>, Place::kRegister>();
constexpr HandlerSet SUB_rAX_Iz = v_rows_at<BinaryToA<Subtract>, Place::kRegister>();
constexpr HandlerSet SUB_Eb_Ib = b_rows<BinaryToE<Subtract, FromImmediate>>();
constexpr HandlerSet SUB_Ev_Iz = v_rows<BinaryToE<Subtract, FromImmediate>>();
constexpr HandlerSet SUB_Ev_Ib = SUB_Ev_Iz;

constexpr HandlerSet SBB_Eb_Gb = b_rows<BinaryToE<SubtractWithBorrow, FromG>>();
constexpr HandlerSet SBB_Ev_Gv = v_rows<BinaryToE<SubtractWithBorrow, FromG>>();
constexpr HandlerSet SBB_Gb_Eb = b_rows<BinaryToG<SubtractWithBorrow>>();
constexpr HandlerSet SBB_Gv_Ev = v_rows<BinaryToG<SubtractWithBorrow>>();
constexpr HandlerSet SBB_AL_Ib = b_rows_at<BinaryToA<SubtractWithBorrow>, Place::kRegister>();
constexpr HandlerSet SBB_rAX_Iz = v_rows_at<BinaryToA<SubtractWithBorrow>, Place::kRegister>();
constexpr HandlerSet SBB_Eb_Ib = b_rows<BinaryToE<SubtractWithBorrow, FromImmediate>>();
constexpr HandlerSet SBB_Ev_Iz = v_rows<BinaryToE<SubtractWithBorrow, FromImmediate>>();
constexpr HandlerSet SBB_Ev_Ib = SBB_Ev_Iz;

constexpr HandlerSet CMP_Eb_Gb = b_rows<CompareE<Subtract, FromG>>();
constexpr HandlerSet CMP_Ev_Gv = v_rows<CompareE<Subtract, FromG>>();
constexpr HandlerSet CMP_Gb_Eb = b_rows<CompareG<Subtract>>();
constexpr HandlerSet CMP_Gv_Ev = v_rows<CompareG<Subtract>>();
constexpr HandlerSet CMP_AL_Ib = b_rows_at<CompareA<Subtract>, Place::kRegister>();
constexpr HandlerSet CMP_rAX_Iz = v_rows_at<CompareA<Subtract>, Place::kRegister>();
constexpr HandlerSet CMP_Eb_Ib = b_rows<CompareE<Subtract, FromImmediate>>();
constexpr HandlerSet CMP_Ev_Iz = v_rows<CompareE<Subtract, FromImmediate>>();
constexpr HandlerSet CMP_Ev_Ib = CMP_Ev_Iz;

constexpr HandlerSet INC_Eb = b_rows<UnaryE<Increment>>();
constexpr HandlerSet INC_Ev = v_rows<UnaryE<Increment>>();

constexpr HandlerSet DEC_Eb = b_rows<UnaryE<Decrement>>();
constexpr HandlerSet DEC_Ev = v_rows<UnaryE<Decrement>>();

constexpr HandlerSet NEG_Eb = b_rows<UnaryE<Negate>>();
constexpr HandlerSet NEG_Ev = v_rows<UnaryE<Negate>>();

}  // namespace uchronia::cpu::interp::handler
