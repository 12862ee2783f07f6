/* The guest ABI of Uchronia: how a program inside the machine talks to the machine.
 *
 * Plain C with numbers and layouts only, shared by the machine and by everything that runs in the
 * guest. The description for people is docs/hypercalls.md; a change here raises UCHRONIA_ABI.
 *
 * The hypercall instruction is the two bytes 0F 04 (reserved in the AMD64 opcode map). It works in
 * every privilege level: the function number is in EAX, the arguments in RDI RSI RDX R10 R8 R9, the
 * result comes back in RAX (a negative errno on failure); no other register changes. Pointers are
 * guest-virtual addresses in the caller's address space and are accessed with the caller's rights.
 */
#pragma once

#define UCHRONIA_ABI 3

/* CPUID leaf that says that the hypercall instruction exists: EBX ECX EDX hold "UchroniaVM\0\0",
 * EAX the highest leaf of this range. UCHRONIA_VERSION tells the ABI. */
#define UCHRONIA_CPUID_LEAF 0x40000100u
#define UCHRONIA_CPUID_EBX 0x72686355u /* "Uchr" */
#define UCHRONIA_CPUID_ECX 0x61696e6fu /* "onia" */
#define UCHRONIA_CPUID_EDX 0x00004d56u /* "VM\0\0" */

/* The bytes of the instruction. */
#define UCHRONIA_HYPERCALL_BYTE_0 0x0f
#define UCHRONIA_HYPERCALL_BYTE_1 0x04

enum UchroniaHypercall {
    /* () -> UCHRONIA_ABI of the machine. */
    UCHRONIA_VERSION = 0,
    /* () -> 0. The base image is booted; returns when a run begins. */
    UCHRONIA_READY = 1,
    /* (buffer, size) -> size of the run description in bytes; written only if it fits. */
    UCHRONIA_GET_RUN = 2,
    /* (UchroniaStream, data, size) -> size. What a command writes. */
    UCHRONIA_OUTPUT = 3,
    /* (buffer, size, UchroniaOwner) -> bytes of standard input; fewer than size only at its end, 0
     * = no more. */
    UCHRONIA_INPUT = 4,
    /* (UchroniaExitKind, code). The run is over. Returns if it goes on all the same: for a visit.
     */
    UCHRONIA_EXIT = 5,
    /* (text, size). The agent cannot go on; does not return. */
    UCHRONIA_PANIC = 6,
    /* (UchroniaReportKind, text, size) -> 0. A report of the kernel about itself, with its lines.
     */
    UCHRONIA_OOPS = 7,
    /* (UchroniaLogLevel, text, size) -> 0. One diagnostic line, without a newline. */
    UCHRONIA_LOG = 8,
    /* (buffer, size) -> size. Random bytes of the tape. */
    UCHRONIA_ENTROPY = 9,
    /* (data, size, UchroniaOwner) -> size. The next bytes of what comes out of the guest:
     * UchroniaFileRecord. */
    UCHRONIA_FILES = 10,
    /* (buffer, size) -> size of the next message to the agent (UchroniaCallHeader), 0 = none. It is
     * written, and is the next one no more, if it fits. */
    UCHRONIA_CALL = 11,
    /* (UchroniaExitKind, code, number of the visit) -> 0. Its command has ended. */
    UCHRONIA_VISIT_END = 12,
    /* Reserved for the SDK: markers and assertions. -ENOSYS for now. */
    UCHRONIA_MARK = 16,
    UCHRONIA_ASSERT = 17,
};

enum UchroniaStream {
    UCHRONIA_STREAM_OUTPUT = 1,
    UCHRONIA_STREAM_ERROR = 2,
    UCHRONIA_STREAM_VISIT_OUTPUT = 3,
    UCHRONIA_STREAM_VISIT_ERROR = 4,
};

/* Whose standard input is read, or files come out. */
enum UchroniaOwner {
    UCHRONIA_OF_RUN = 0,
    UCHRONIA_OF_VISIT = 1,
};

enum UchroniaExitKind {
    UCHRONIA_EXITED = 0,   /* code: exit status, 0-255 */
    UCHRONIA_SIGNALED = 1, /* code: signal number */
};

enum UchroniaReportKind {
    UCHRONIA_REPORT_WARNING = 1, /* WARN(): the kernel goes on */
    UCHRONIA_REPORT_OOPS = 2,    /* an oops or BUG(): a task was killed, the kernel is damaged */
    UCHRONIA_REPORT_STALL = 3,   /* hung task, soft lockup, RCU stall */
};

enum UchroniaLogLevel {
    UCHRONIA_LOG_ERROR = 1,
    UCHRONIA_LOG_WARNING = 2,
    UCHRONIA_LOG_INFO = 3,
    /* A line of the kernel's log: "<LEVEL>[SECONDS.MICROSECONDS] TEXT", both the kernel's own. */
    UCHRONIA_LOG_KERNEL = 4,
};

/* Sizes that the machine refuses with -EINVAL beyond: one call never moves more than this. */
#define UCHRONIA_MAXIMUM_TRANSFER (1u << 20)

/* The run description of GET_RUN, little-endian, packed: a header of u32 words in the order below,
 * then `group_count` u32 supplementary group ids, then NUL-terminated strings: the working
 * directory, the folder of the kernel's modules (empty: none), `argument_count` arguments (at least
 * one), `environment_count` of "NAME=value", `share_count` absolute paths of host folders that the
 * run can see; with UCHRONIA_RUN_HAS_OUT, the absolute path of the folder whose changes come out at
 * the end. */
#define UCHRONIA_RUN_MAGIC 0x4e555255u /* "URUN" */
#define UCHRONIA_RUN_HEADER_WORDS 9

enum UchroniaRunHeader {
    UCHRONIA_RUN_WORD_MAGIC = 0,
    UCHRONIA_RUN_WORD_SIZE = 1, /* of all of it, bytes */
    UCHRONIA_RUN_WORD_FLAGS = 2,
    UCHRONIA_RUN_WORD_UID = 3,
    UCHRONIA_RUN_WORD_GID = 4,
    UCHRONIA_RUN_WORD_GROUPS = 5,
    UCHRONIA_RUN_WORD_ARGUMENTS = 6,
    UCHRONIA_RUN_WORD_ENVIRONMENT = 7,
    UCHRONIA_RUN_WORD_SHARES = 8,
};

enum UchroniaRunFlags {
    UCHRONIA_RUN_HAS_INPUT = 1,    /* there is standard input: else the command gets /dev/null */
    UCHRONIA_RUN_HAS_IMAGE = 2,    /* the shared files are a whole root file system */
    UCHRONIA_RUN_HAS_OUT = 4,      /* the changes in a folder come out at the end */
    UCHRONIA_RUN_HAS_TERMINAL = 8, /* the command's streams are a terminal; visits only */
};

/* What the machine tells the agent after a byte on the first serial port: a message of this header
 * (little-endian) and what its kind says. */
struct UchroniaCallHeader {
    unsigned kind;   /* UchroniaCallKind */
    unsigned number; /* of the visit, from 0 */
};

enum UchroniaCallKind {
    UCHRONIA_CALL_COMMAND = 1, /* a run description: start it beside the running command */
    UCHRONIA_CALL_LIST = 2,    /* a run description: list the files that its arguments name */
    UCHRONIA_CALL_BRING = 3,   /* a run description: bring these files out */
    UCHRONIA_CALL_INPUT = 4,   /* bytes for the terminal */
    UCHRONIA_CALL_WINDOW = 5,  /* u16 rows, u16 columns of the terminal */
    UCHRONIA_CALL_HANG_UP = 6, /* the terminal is gone */
};

/* What comes out of the guest: records, one after the other, each of this header (little-endian),
 * `text_size` bytes of text, and, for UCHRONIA_FILE_DATA, `size` bytes of content. Paths are
 * relative to the folder. Parents come before what is in them; the data of a file follow it. */
struct UchroniaFileRecord {
    unsigned kind;        /* UchroniaFileKind */
    unsigned mode;        /* permission bits, of folders and files */
    unsigned long size;   /* of a file or of data, bytes; of END: the number of records before it */
    unsigned long offset; /* of data, in its file */
    unsigned text_size;   /* at most UCHRONIA_FILE_LONGEST_TEXT */
    unsigned unused;      /* 0 */
};

enum UchroniaFileKind {
    UCHRONIA_FILE_FOLDER = 1,  /* text: path */
    UCHRONIA_FILE_REGULAR = 2, /* text: path. It has `size` bytes, zeros where no data follow */
    UCHRONIA_FILE_DATA = 3,    /* of the regular file before it */
    UCHRONIA_FILE_SYMLINK = 4, /* text: path, NUL, target */
    UCHRONIA_FILE_REMOVED = 5, /* text: path of what is not there any more */
    UCHRONIA_FILE_OTHER = 6,   /* text: path of what cannot come out: a pipe, socket or device */
    UCHRONIA_FILE_END = 7,     /* nothing follows */
};

#define UCHRONIA_FILE_LONGEST_TEXT 8192u
