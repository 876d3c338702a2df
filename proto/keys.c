#include "proto/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { KEY_FILE_BYTES_MAX = 4096, NAME_BYTES_MAX = 63, LIST_BYTES_MAX = 4 << 20 };
enum { SECRET_MODE = 0600, PUBLIC_MODE = 0644, FOLDER_MODE = 0700, OTHERS = 077, OTHERS_WRITE = 022 };

static const char list_head[] =
    "# Workers that may join, a line \"KEY NAME\" each; read again when it changes.\n"
    "# Add one with: cat worker.public >> allowed. Take one away by deleting its line.\n";

/* ---- reading ---- */

static fsh_status
check_mode(const char *path, mode_t forbidden, const char *what, const char *mend, fsh_err *err)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be read; `faceshard keygen` makes keys", path);
    if (info.st_mode & forbidden)
        return fsh_fail(err, FSH_USAGE, "%s: others may %s; run: chmod %s '%s'", path, what, mend,
                        path);
    return FSH_OK;
}

/* The key that a file begins with. */
static fsh_status
read_key(const char *folder, const char *name, bool secret, fsh_key *key, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_path_join(path, folder, name, err);

    if (!status)
        status = check_mode(path, secret ? OTHERS : OTHERS_WRITE, secret ? "read it" : "change it",
                            secret ? "600" : "go-w", err);
    if (!status)
        status = fsh_file_read(path, KEY_FILE_BYTES_MAX, &data, &bytes, err);
    if (status)
        return status;
    data[strcspn((char *)data, " \t\r\n")] = '\0';
    if (fsh_key_is_valid((char *)data))
        strcpy(key->letters, (char *)data);
    else
        status = fsh_fail(err, FSH_FORMAT, "%s: no key; copy it again from where it was made", path);
    explicit_bzero(data, bytes);
    free(data);
    return status;
}

/* A secret that does not belong to its public key would fail later and without a reason. */
static fsh_status
read_pair(const char *folder, const char *role, fsh_keys *keys, fsh_err *err)
{
    char name[32];
    fsh_key expected;
    fsh_status status;

    snprintf(name, sizeof name, "%s.secret", role);
    status = read_key(folder, name, true, &keys->own_secret, err);
    snprintf(name, sizeof name, "%s.public", role);
    if (!status)
        status = read_key(folder, name, false, &keys->own_public, err);
    if (status)
        return status;
    if (zmq_curve_public(expected.letters, keys->own_secret.letters) != 0 ||
        strcmp(expected.letters, keys->own_public.letters) != 0)
        return fsh_fail(err, FSH_FORMAT, "%s: %s.secret and %s.public are of different pairs",
                        folder, role, role);
    return FSH_OK;
}

fsh_status
fsh_keys_read(const char *folder, fsh_keys_side side, fsh_keys *keys, fsh_err *err)
{
    fsh_keys read = {0};
    fsh_status status = check_mode(folder, OTHERS_WRITE, "put keys there", "700", err);

    if (!status && side == FSH_KEYS_COORDINATOR) {
        status = read_pair(folder, "coordinator", &read, err);
        if (!status)
            status = fsh_path_join(read.allowed, folder, FSH_KEYS_ALLOWED, err);
    } else if (!status) {
        status = read_pair(folder, "worker", &read, err);
        if (!status)
            status = read_key(folder, "coordinator.public", false, &read.coordinator, err);
    }
    if (!status)
        *keys = read;
    fsh_keys_wipe(&read);
    return status;
}

void
fsh_keys_wipe(fsh_keys *keys)
{
    explicit_bzero(keys, sizeof *keys);
}

/* ---- making ---- */

/* Never over an existing file, and never readable by others, not even for a moment. */
static fsh_status
write_new(const char *folder, const char *name, mode_t mode, const char *text, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    size_t bytes = strlen(text);
    fsh_status status = fsh_path_join(path, folder, name, err);
    int fd;

    if (status)
        return status;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return fsh_fail_errno(err, errno, "%s: cannot be made", path);
    if (write(fd, text, bytes) != (ssize_t)bytes || fsync(fd) != 0)
        status = fsh_fail_errno(err, errno, "%s: cannot be written", path);
    close(fd);
    return status;
}

static fsh_status
write_pair(const char *folder, const char *role, const char *label, char line[128], fsh_err *err)
{
    fsh_key public_key, secret_key;
    char name[32], text[FSH_KEY_LETTERS + 2];
    fsh_status status;

    if (zmq_curve_keypair(public_key.letters, secret_key.letters) != 0)
        return fsh_fail(err, FSH_INTERNAL, "libzmq makes no keys: %s", zmq_strerror(zmq_errno()));
    snprintf(line, 128, "%s %s\n", public_key.letters, label);
    snprintf(text, sizeof text, "%s\n", secret_key.letters);
    snprintf(name, sizeof name, "%s.secret", role);
    status = write_new(folder, name, SECRET_MODE, text, err);
    snprintf(name, sizeof name, "%s.public", role);
    if (!status)
        status = write_new(folder, name, PUBLIC_MODE, line, err);
    explicit_bzero(&secret_key, sizeof secret_key);
    explicit_bzero(text, sizeof text);
    return status;
}

static fsh_status
make_folder(const char *path, fsh_err *err)
{
    if (mkdir(path, FOLDER_MODE) == 0)
        return FSH_OK;
    if (errno != EEXIST)
        return fsh_fail_errno(err, errno, "%s: folder cannot be made", path);
    return check_mode(path, OTHERS_WRITE, "put keys there", "700", err);
}

bool
fsh_keys_exist(const char *folder)
{
    char path[FSH_PATH_BYTES];

    return fsh_path_join(path, folder, "coordinator.secret", NULL) == FSH_OK && fsh_file_exists(path);
}

fsh_status
fsh_keys_make_coordinator(const char *folder, fsh_err *err)
{
    char line[128], list[sizeof list_head + 128];
    fsh_status status;

    if (fsh_keys_exist(folder))
        return fsh_fail(err, FSH_USAGE,
                        "%s: has keys already, and keys are never overwritten; --name or --workers "
                        "add a worker's, another folder is for another coordinator's",
                        folder);
    status = make_folder(folder, err);
    if (!status)
        status = write_pair(folder, "worker", "worker", line, err);
    snprintf(list, sizeof list, "%s%s", list_head, line);
    if (!status)
        status = write_new(folder, FSH_KEYS_ALLOWED, PUBLIC_MODE, list, err);
    if (!status)
        status = write_pair(folder, "coordinator", "coordinator", line, err);
    return status;
}

static bool
is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return n > 0 && n <= NAME_BYTES_MAX && name[n] == '\0' && name[0] != '.' && name[0] != '-';
}

static fsh_status
copy_coordinator(const char *folder, const char *to, fsh_err *err)
{
    fsh_key key;
    char line[128];
    fsh_status status = read_key(folder, "coordinator.public", false, &key, err);

    snprintf(line, sizeof line, "%s coordinator\n", key.letters);
    return status ? status : write_new(to, "coordinator.public", PUBLIC_MODE, line, err);
}

/* The list is replaced as a whole, so that a coordinator never reads half a line. */
static fsh_status
add_to_list(const char *folder, const char *line, fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    fsh_text text = {0};
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_path_join(path, folder, FSH_KEYS_ALLOWED, err);

    if (!status)
        status = fsh_file_read(path, LIST_BYTES_MAX, &data, &bytes, err);
    if (status)
        return status;
    fsh_text_add_bytes(&text, data, bytes);
    free(data);
    if (bytes && text.data && text.data[bytes - 1] != '\n')
        fsh_text_add(&text, "\n");
    fsh_text_add(&text, line);
    status = fsh_text_ok(&text) ? fsh_file_write(path, text.data, text.bytes, err)
                                : fsh_fail(err, FSH_MEMORY, "%s: no memory", path);
    fsh_text_fini(&text);
    if (!status && chmod(path, PUBLIC_MODE) != 0)
        status = fsh_fail_errno(err, errno, "%s: its mode cannot be set", path);
    return status;
}

fsh_status
fsh_keys_make_worker(const char *folder, const char *name, fsh_err *err)
{
    char to[FSH_PATH_BYTES], line[128];
    fsh_status status;

    if (!is_name(name))
        return fsh_fail(err, FSH_USAGE,
                        "'%s': a worker's name has 1 to %d letters, digits, dots, - and _, and "
                        "begins with none of . and -",
                        name, NAME_BYTES_MAX);
    status = fsh_path_join(to, folder, name, err);
    if (!status && mkdir(to, FOLDER_MODE) != 0)
        status = errno == EEXIST ? fsh_fail(err, FSH_USAGE,
                                            "%s: exists, and keys are never overwritten; choose "
                                            "another --name",
                                            to)
                                 : fsh_fail_errno(err, errno, "%s: folder cannot be made", to);
    if (!status)
        status = copy_coordinator(folder, to, err);
    if (!status)
        status = write_pair(to, "worker", name, line, err);
    return status ? status : add_to_list(folder, line, err);
}

fsh_status
fsh_keys_pack(const char *folder, fsh_keys_file files[FSH_KEYS_FILES], fsh_err *err)
{
    static const char *const names[FSH_KEYS_FILES] = {"worker.secret", "worker.public", "coordinator.public"};
    fsh_keys keys;
    fsh_status status = fsh_keys_read(folder, FSH_KEYS_WORKER, &keys, err);
    int i;

    if (status)
        return status;
    const char *const lines[FSH_KEYS_FILES] = {keys.own_secret.letters, keys.own_public.letters, keys.coordinator.letters};

    for (i = 0; i < FSH_KEYS_FILES; i++) {
        files[i].name = names[i];
        snprintf(files[i].line, sizeof files[i].line, "%s", lines[i]);
    }
    fsh_keys_wipe(&keys);
    return FSH_OK;
}
