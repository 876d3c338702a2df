/* The readers that there are; a new one is declared here and listed in readers.c. */
#ifndef FSH_DATASETS_READERS_H
#define FSH_DATASETS_READERS_H

#include "datasets/reader.h"

extern const fsh_reader fsh_reader_folders;
extern const fsh_reader fsh_reader_pictures;
extern const fsh_reader fsh_reader_list;
extern const fsh_reader fsh_reader_shards;
extern const fsh_reader fsh_reader_recordio;
extern const fsh_reader fsh_reader_mscelebtsv;
extern const fsh_reader fsh_reader_tar;

#endif
