/* Models and their cards. A card is a YAML file that says everything about a model that a stage needs to
 * know; nothing about a model stands in code. `models/` of the project holds the cards that it knows. */
#ifndef FSH_STAGES_MODELS_H
#define FSH_STAGES_MODELS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/args.h"
#include "base/files.h"
#include "base/hash.h"

/* Which cards a job names, and where cards and files are looked for. */
typedef struct fsh_models {
    char detector[FSH_ARG_TEXT_BYTES];   /* name or path of a card */
    char landmarker[FSH_ARG_TEXT_BYTES];
    char embedder[FSH_ARG_TEXT_BYTES];
    char search[FSH_ARG_TEXT_BYTES];     /* folders, separated by commas, tried in order */
    char device[FSH_ARG_TEXT_BYTES];       /* where networks run: cpu, cuda or cuda:N; "": cpu */
} fsh_models;

typedef enum fsh_model_task { FSH_TASK_DETECT, FSH_TASK_LANDMARKS, FSH_TASK_EMBED } fsh_model_task;

/* How a face is presented to an embedder. */
typedef enum fsh_present {
    FSH_PRESENT_ALIGNED, /* similarity of the five points onto the ArcFace template */
    FSH_PRESENT_CROP     /* the crop, stretched */
} fsh_present;

typedef enum fsh_backend {
    FSH_BACKEND_OPENCV,
    FSH_BACKEND_DLIB,
    FSH_BACKEND_BUILTIN,
    FSH_BACKEND_ONEDNN, /* ONNX and Caffe files of the operators in inference/ops.def */
    FSH_BACKEND_TORCH,  /* TorchScript; libtorch is an option of the build */
    FSH_BACKEND_AUTO    /* torch for TorchScript, onednn where it can, otherwise opencv: as a card is written, never as
                           it is loaded */
} fsh_backend;
typedef enum fsh_precision { FSH_PRECISION_FLOAT32, FSH_PRECISION_BF16 } fsh_precision;
typedef enum fsh_decoding {
    FSH_DECODING_NONE,
    FSH_DECODING_SSD,
    FSH_DECODING_YUNET,
    FSH_DECODING_HOG,
    FSH_DECODING_ALIGNED
} fsh_decoding;

/* One card; the rows in models.c say units and limits. */
typedef struct fsh_card {
    char name[FSH_ARG_TEXT_BYTES];
    char file[FSH_ARG_TEXT_BYTES];   /* beside the card or in a search folder; empty for built-in models */
    char config[FSH_ARG_TEXT_BYTES]; /* second file (Caffe prototxt); empty where none */
    char sha256[FSH_ARG_TEXT_BYTES]; /* of file, hex; where the card has none, filled by fsh_card_load */
    char config_sha256[FSH_ARG_TEXT_BYTES];
    char licence[FSH_ARG_TEXT_BYTES];
    char source[FSH_ARG_TEXT_BYTES];
    char accuracy[FSH_ARG_TEXT_BYTES]; /* what was measured, in words, for `doctor` and the report */
    char detector[FSH_ARG_TEXT_BYTES]; /* embedders: cards of detectors, best first; "": not known */
    double recognise_threshold; /* embedders: distance under which a face is taken for a person */
    int32_t task;    /* fsh_model_task */
    int32_t backend; /* fsh_backend; fsh_card_load settles AUTO, so that the hash tells what runs it */
    int32_t precision;   /* fsh_precision */
    int64_t bf16_pixels; /* with BF16: layers of more px than that stay in float32; 0: none does */
    int64_t width, height;             /* of the input, px; detectors of any size: pictures are shrunk to fit */
    int32_t channels;                  /* 0 RGB, 1 BGR */
    fsh_reals mean, scale;             /* input = (value - mean) * scale, a channel each or one for all */
    char input[FSH_ARG_TEXT_BYTES];    /* name of the input; empty: the only one */
    char outputs[FSH_ARG_TEXT_BYTES];  /* names, separated by commas; empty: the only one */
    int64_t dimension;                 /* embedders */
    int64_t at_once;                   /* embedders: faces; fsh_card_load settles 0 */
    bool normalise;
    int32_t present;                   /* fsh_present */
    double distance_threshold;         /* embedders: mean distance over which `clean` removes */
    int32_t decoding;                  /* detectors: fsh_decoding */
    double confidence, overlap;        /* detectors: score that counts, IoU of non-maximum suppression */
    fsh_reals feature_maps, anchor_sizes, anchor_ratios, variances; /* SSD */
    double landmark_scale, landmark_shift; /* detectors: side of the square landmark box over max(w, h), 0: the
                                              face box as it is; shift down over h */
    char device[FSH_ARG_TEXT_BYTES];    /* filled by fsh_card_load from fsh_models */
    bool backend_chosen;              /* filled by fsh_card_load: the backend was AUTO */
    char file_path[FSH_PATH_BYTES];   /* filled by fsh_card_load: where the file was found */
    char config_path[FSH_PATH_BYTES];
    fsh_hash file_hash; /* of all that decides what the model gives: file, config and the card's settings */
} fsh_card;

/* Finds the card (a path, or a name looked for in the search folders, in $FACESHARD_MODELS, in the
 * project's models/ and in a checkout's ../shared/models), reads it, finds its files and checks their
 * SHA-256. A missing file fails with MODEL and says where it was looked for. */
fsh_status fsh_card_load(const fsh_models *models, const char *name_or_path, fsh_model_task task,
                         fsh_card *card, fsh_err *err);

/* Channel c (0 to 2) of mean or scale: a list of one number is the same for all. */
double fsh_card_channel(const fsh_reals *list, int c);

/* Rows of a card, for documents and `doctor`. */
extern const fsh_arg fsh_card_args[];

#endif
