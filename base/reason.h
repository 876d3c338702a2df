/* Why a sample is left out. Every sample that is not delivered has exactly one reason. */
#ifndef FSH_BASE_REASON_H
#define FSH_BASE_REASON_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fsh_reason {
#define REASON(name, code, text) FSH_REASON_##name,
#include "base/reason.def"
#undef REASON
    FSH_REASON_N
} fsh_reason;

/* Code as it stands in /rejected and in reports ("no_face"). */
const char *fsh_reason_code(fsh_reason reason);

/* What the reason means, one sentence. */
const char *fsh_reason_text(fsh_reason reason);

/* The reason with this code, or FSH_REASON_N where there is none. */
fsh_reason fsh_reason_from_code(const char *code);

#ifdef __cplusplus
}
#endif
#endif
