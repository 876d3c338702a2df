/* The settings of a Caffe layer: a message whose fields are numbers, lists of numbers or messages.
 * A field that is not known is not passed over: it may change the result. */
#ifndef FSH_STAGES_INFERENCE_SETTINGS_H
#define FSH_STAGES_INFERENCE_SETTINGS_H

#include "stages/inference/graph.h"
#include "stages/inference/wire.h"

enum { FSH_SETTINGS_FIELDS = 32 };

typedef struct fsh_settings {
    fsh_wholes wholes[FSH_SETTINGS_FIELDS]; /* by number of the field, as they came one by one */
    fsh_wire bytes[FSH_SETTINGS_FIELDS];    /* packed lists, and messages */
    float real[FSH_SETTINGS_FIELDS];        /* the last one */
    uint32_t seen, reals_other;             /* fields; those with a real number that is not one */
} fsh_settings;

/* A field that must have that value, or be left out; field 0 is none. */
typedef struct fsh_setting {
    uint32_t field;
    int64_t value;
} fsh_setting;

/* Reads the message of that number within a layer; false where it is damaged. */
bool fsh_settings_read(fsh_settings *settings, fsh_wire layer, uint32_t message);

/* The first field that is neither in known nor fixed to what it has; 0 where there is none. */
uint32_t fsh_settings_refused(const fsh_settings *settings, uint32_t known,
                              const fsh_setting *fixed, uint32_t n);

int64_t fsh_settings_whole(const fsh_settings *settings, uint32_t field, int64_t without);
float fsh_settings_real(const fsh_settings *settings, uint32_t field, float without);

/* All numbers of a field; false where the field is damaged. */
bool fsh_settings_wholes(const fsh_settings *settings, uint32_t field, fsh_wholes *out);

/* True where every real number of the field is 1. */
bool fsh_settings_all_one(const fsh_settings *settings, uint32_t field);

bool fsh_settings_message(const fsh_settings *settings, uint32_t field, fsh_wire *out);

/* The numbers of field 1 of a message, packed or one by one: a shape. */
bool fsh_wholes_read(fsh_wholes *list, fsh_wire message);

#endif
