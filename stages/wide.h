/* WIDE before a function compiles it twice, for every x86-64 and for those with AVX2, and the
 * processor decides at start; WIDEST likewise, for those with AVX-512. The function must give the
 * same result either way: whole numbers do, and floating point does because C11 mode contracts no
 * multiply-add and nothing here reorders sums. Left out where the sanitizers' start does not stand
 * it and where nothing is optimised. */
#ifndef FSH_STAGES_WIDE_H
#define FSH_STAGES_WIDE_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__) &&    \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WIDE   __attribute__((target_clones("arch=x86-64-v3", "default")))
#define WIDEST __attribute__((target_clones("arch=x86-64-v4", "default")))
#else
#define WIDE
#define WIDEST
#endif

#endif
