#include "door/video.h"

#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/installed.h"

static const fsh_video_backend *backend;
static char missing[600];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
find_backend(void)
{
    char installed[FSH_PATH_BYTES] = "";
    const char *const places[] = {installed, FSH_VIDEO_BUILT};
    const fsh_video_backend *found;
    void *library = NULL;
    int i;

    fsh_installed_find("lib/faceshard/faceshard_video.so", installed);
    snprintf(missing, sizeof missing,
             "faceshard_video.so is missing: install the package faceshard-video, or build and "
             "install faceshard again");
    for (i = 0; i < 2 && !library; i++)
        if (fsh_file_exists(places[i]) && !(library = dlopen(places[i], RTLD_NOW | RTLD_LOCAL)))
            snprintf(missing, sizeof missing, "%s: is libopencv-dev there?", dlerror());
    found = library ? dlsym(library, FSH_VIDEO_SYMBOL) : NULL;
    if (found && found->format == FSH_VIDEO_FORMAT)
        backend = found;
    else if (library)
        snprintf(missing, sizeof missing, "%s is of another version: build and install it again",
                 places[i - 1]);
}

fsh_status
fsh_video_need(const fsh_video_backend **found, fsh_err *err)
{
    pthread_once(&once, find_backend);
    *found = backend;
    return backend ? FSH_OK : fsh_fail(err, FSH_IO, "videos cannot be read: %s", missing);
}

static void
try_display(const fsh_video_backend *video)
{
    fsh_image image = {0};
    char text[200];
    int key;

    if (!freopen("/dev/null", "w", stderr) || fsh_image_init(&image, 64, 64, 3))
        _exit(1);
    _exit(video->show("faceshard", &image, &key, text, sizeof text));
}

fsh_status
fsh_video_check_display(fsh_err *err)
{
    const fsh_video_backend *video;
    fsh_status status = fsh_video_need(&video, err);
    pid_t child;
    int how = 0;

    if (status)
        return status;
    fflush(NULL);
    child = fork();
    if (child == 0)
        try_display(video);
    if (child < 0)
        return fsh_fail_errno(err, errno, "--show: no process can be made");
    while (waitpid(child, &how, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return FSH_OK;
    return fsh_fail(err, FSH_IO,
                    "--show: there is no display to open a window on (DISPLAY is '%s'); leave "
                    "--show out, or write what would be shown with --out annotated.avi",
                    getenv("DISPLAY") ? getenv("DISPLAY") : "");
}

/* What is no UTF-8, or stands for nothing in ASCII, is a question mark. */
static void
transliterate(iconv_t to_ascii, const char *name, char *words, size_t room)
{
    char *from = (char *)name, *to = words;
    size_t left = strlen(name), free_bytes = room - 1;

    while (left && free_bytes && iconv(to_ascii, &from, &left, &to, &free_bytes) == (size_t)-1 &&
           errno != E2BIG) {
        *to++ = '?';
        free_bytes--;
        from++;
        left--;
    }
    *to = '\0';
}

void
fsh_video_words(const char *name, char *words, size_t room)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    iconv_t to_ascii = iconv_open("ASCII//TRANSLIT", "UTF-8");
    size_t i;

    if (to_ascii == (iconv_t)-1)
        snprintf(words, room, "%s", name);
    else
        transliterate(to_ascii, name, words, room);
    for (i = 0; words[i]; i++)
        if (words[i] < ' ' || words[i] > '~')
            words[i] = '?';
    if (to_ascii != (iconv_t)-1)
        iconv_close(to_ascii);
    if (utf8)
        uselocale(before);
    if (utf8)
        freelocale(utf8);
}
