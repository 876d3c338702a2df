/* What the files of evaluate/cleaning.h share. */
#ifndef FSH_EVALUATE_CLEANING_PARTS_H
#define FSH_EVALUATE_CLEANING_PARTS_H

#include "evaluate/cleaning.h"

/* Fills duplicates and, where there is another set, copies. */
fsh_status fsh_cleaning_find_near(fsh_cleaning *of, fsh_err *err);

/* Fills same and, where there is another set, overlap. */
fsh_status fsh_cleaning_find_same(fsh_cleaning *of, fsh_err *err);

#endif
