/* Put before the program by poison_test.py (LD_PRELOAD): a libjpeg-turbo with faults that pictures
 * bring about. Decoding a file that holds the word POISON-CRASH or POISON-HANG does that; so does
 * encoding a picture that is magenta in its corner. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <turbojpeg.h>
#include <unistd.h>

static void
suffer(const unsigned char *data, unsigned long bytes)
{
    if (memmem(data, bytes, "POISON-CRASH", 12))
        raise(SIGSEGV);
    while (memmem(data, bytes, "POISON-HANG", 11))
        pause();
}

int
tjDecompress2(tjhandle handle, const unsigned char *data, unsigned long bytes, unsigned char *out,
              int width, int pitch, int height, int format, int flags)
{
    int (*real)(tjhandle, const unsigned char *, unsigned long, unsigned char *, int, int, int, int,
                int);

    suffer(data, bytes);
    *(void **)&real = dlsym(RTLD_NEXT, "tjDecompress2");
    return real(handle, data, bytes, out, width, pitch, height, format, flags);
}

int
tjCompress2(tjhandle handle, const unsigned char *pixels, int width, int pitch, int height,
            int format, unsigned char **out, unsigned long *bytes, int subsampling, int quality,
            int flags)
{
    int (*real)(tjhandle, const unsigned char *, int, int, int, int, unsigned char **,
                unsigned long *, int, int, int);

    if (pixels[0] > 240 && pixels[1] < 15 && pixels[2] > 240)
        raise(SIGSEGV);
    *(void **)&real = dlsym(RTLD_NEXT, "tjCompress2");
    return real(handle, pixels, width, pitch, height, format, out, bytes, subsampling, quality,
                flags);
}
