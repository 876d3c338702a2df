/* A network run by oneDNN on one thread: an ONNX file becomes a list of primitives whose weights
 * are laid out once. The same bytes come out whatever the number of threads around it. */
#ifndef FSH_STAGES_INFERENCE_ENGINE_H
#define FSH_STAGES_INFERENCE_ENGINE_H

#include "base/image.h"
#include "stages/inference/net.h"

typedef struct fsh_engine fsh_engine;

/* Fails with MODEL where the file is damaged or has something in it that this backend does not run;
 * the text names it. */
fsh_status fsh_engine_open(const struct fsh_card *card, uint32_t pictures, fsh_engine **engine,
                           fsh_err *err);
void fsh_engine_close(fsh_engine *engine); /* NULL is fine */

/* As fsh_net_run_several. */
fsh_status fsh_engine_run(fsh_engine *engine, const fsh_image *const *pictures, uint32_t count,
                          fsh_tensor *outputs, uint32_t n, fsh_err *err);

/* As fsh_net_has_bf16. */
bool fsh_engine_has_bf16(void);

/* Version, the instructions that it uses here, and the precision. */
void fsh_engine_about(char *text, size_t room);

#endif
