/* Who the face of one track is: votes of its frames, and what else is added up of them. Inside
 * door/ only. */
#ifndef FSH_DOOR_BALLOT_H
#define FSH_DOOR_BALLOT_H

#include "door/visits.h"

enum { FSH_CANDIDATES_MAX = 8 };

typedef struct fsh_candidate {
    uint32_t person;
    uint64_t votes;
    double best; /* distance */
} fsh_candidate;

typedef struct fsh_ballot {
    fsh_candidate candidates[FSH_CANDIDATES_MAX];
    uint32_t candidates_n;
    uint32_t recent[FSH_AGREE_WINDOW]; /* persons of the last frames, in a ring; FSH_NOBODY: none */
    uint32_t recent_n, recent_at;
    double nearest; /* distance to anybody */
} fsh_ballot;

void fsh_ballot_init(fsh_ballot *ballot);

/* A frame says: this person, so near. FSH_NOBODY: nobody is near enough. */
void fsh_ballot_vote(fsh_ballot *ballot, uint32_t person, double distance);

/* The person that the track is to be called by, which is `so_far` unless others have better
 * grounds: `agree` of the last frames and two thirds of those that named anybody, and more frames
 * in all than so_far has. */
uint32_t fsh_ballot_winner(const fsh_ballot *ballot, uint32_t so_far, uint32_t agree);

/* The shortest distance to a person who got votes; INFINITY for another one. */
double fsh_ballot_best(const fsh_ballot *ballot, uint32_t person);

#endif
