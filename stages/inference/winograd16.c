/* winograd.c with sixteen numbers at a time, for AVX-512. */
#define FSH_LANES 16
#include "stages/inference/winograd.c"
