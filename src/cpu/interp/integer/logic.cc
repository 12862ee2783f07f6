// AND, OR, XOR, TEST, NOT.
#include "cpu/interp/integer/alu.h"
#include "cpu/interp/integer/binary.h"

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet AND_Eb_Gb = b_rows<BinaryToE<And, FromG>>();
constexpr HandlerSet AND_Ev_Gv = v_rows<BinaryToE<And, FromG>>();
constexpr HandlerSet AND_Gb_Eb = b_rows<BinaryToG<And>>();
constexpr HandlerSet AND_Gv_Ev = v_rows<BinaryToG<And>>();
constexpr HandlerSet AND_AL_Ib = b_rows_at<BinaryToA<And>, Place::kRegister>();
constexpr HandlerSet AND_rAX_Iz = v_rows_at<BinaryToA<And>, Place::kRegister>();
constexpr HandlerSet AND_Eb_Ib = b_rows<BinaryToE<And, FromImmediate>>();
constexpr HandlerSet AND_Ev_Iz = v_rows<BinaryToE<And, FromImmediate>>();
constexpr HandlerSet AND_Ev_Ib = AND_Ev_Iz;

constexpr HandlerSet OR_Eb_Gb = b_rows<BinaryToE<Or, FromG>>();
constexpr HandlerSet OR_Ev_Gv = v_rows<BinaryToE<Or, FromG>>();
constexpr HandlerSet OR_Gb_Eb = b_rows<BinaryToG<Or>>();
constexpr HandlerSet OR_Gv_Ev = v_rows<BinaryToG<Or>>();
constexpr HandlerSet OR_AL_Ib = b_rows_at<BinaryToA<Or>, Place::kRegister>();
constexpr HandlerSet OR_rAX_Iz = v_rows_at<BinaryToA<Or>, Place::kRegister>();
constexpr HandlerSet OR_Eb_Ib = b_rows<BinaryToE<Or, FromImmediate>>();
constexpr HandlerSet OR_Ev_Iz = v_rows<BinaryToE<Or, FromImmediate>>();
constexpr HandlerSet OR_Ev_Ib = OR_Ev_Iz;

constexpr HandlerSet XOR_Eb_Gb = b_rows<BinaryToE<Xor, FromG>>();
constexpr HandlerSet XOR_Ev_Gv = v_rows<BinaryToE<Xor, FromG>>();
constexpr HandlerSet XOR_Gb_Eb = b_rows<BinaryToG<Xor>>();
constexpr HandlerSet XOR_Gv_Ev = v_rows<BinaryToG<Xor>>();
constexpr HandlerSet XOR_AL_Ib = b_rows_at<BinaryToA<Xor>, Place::kRegister>();
constexpr HandlerSet XOR_rAX_Iz = v_rows_at<BinaryToA<Xor>, Place::kRegister>();
constexpr HandlerSet XOR_Eb_Ib = b_rows<BinaryToE<Xor, FromImmediate>>();
constexpr HandlerSet XOR_Ev_Iz = v_rows<BinaryToE<Xor, FromImmediate>>();
constexpr HandlerSet XOR_Ev_Ib = XOR_Ev_Iz;

constexpr HandlerSet TEST_Eb_Gb = b_rows<CompareE<And, FromG>>();
constexpr HandlerSet TEST_Ev_Gv = v_rows<CompareE<And, FromG>>();
constexpr HandlerSet TEST_AL_Ib = b_rows_at<CompareA<And>, Place::kRegister>();
constexpr HandlerSet TEST_rAX_Iz = v_rows_at<CompareA<And>, Place::kRegister>();
constexpr HandlerSet TEST_Eb_Ib = b_rows<CompareE<And, FromImmediate>>();
constexpr HandlerSet TEST_Ev_Iz = v_rows<CompareE<And, FromImmediate>>();
constexpr HandlerSet TEST1_Eb_Ib = TEST_Eb_Ib;
constexpr HandlerSet TEST1_Ev_Iz = TEST_Ev_Iz;

constexpr HandlerSet NOT_Eb = b_rows<UnaryE<Not>>();
constexpr HandlerSet NOT_Ev = v_rows<UnaryE<Not>>();

}  // namespace uchronia::cpu::interp::handler
