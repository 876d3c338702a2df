/* Shards and their index: what goes in comes out, through our reader and through plain h5py. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/files.h"
#include "base/hash.h"
#include "shards/index.h"
#include "shards/inspect.h"
#include "shards/read.h"
#include "tests/testing.h"

enum { SIZE = 8, DIMENSION = 4, IDENTITIES = 2, SAMPLES = 3, VARIANTS = 2 };

static const char hash_a[] = "aaaa", odd_name[] = "n\xff\xfe\n\"1";

static fsh_shard_meta
meta_of(uint32_t unit, fsh_encoding encoding, uint32_t dimension)
{
    return (fsh_shard_meta){hash_a,
                            18446744073709551615u,
                            "detect: {margin: 44}\n",
                            "detector hog\n",
                            "original\nmask",
                            "0.1.0",
                            unit,
                            SIZE,
                            encoding,
                            dimension};
}

/* Every value of a row follows from its number, so that a reader can check it. */
static fsh_status
add_row(fsh_shard *shard, uint32_t i, int64_t label, const char *source, fsh_encoding encoding,
        fsh_err *err)
{
    uint8_t pixels[SIZE * SIZE * 3];
    float embedding[DIMENSION] = {(float)i, 0, 0, 1};
    fsh_point landmarks[FSH_SHARD_LANDMARKS_N] = {{(float)i, 0.5f}};
    fsh_shard_row row = {.bytes = pixels,
                         .bytes_n =
                             encoding == FSH_ENCODING_RAW ? sizeof pixels : 1 + i % sizeof pixels,
                         .label = label,
                         .variant = (uint8_t)(i % VARIANTS),
                         .sample_id = 1000 + i / VARIANTS,
                         .source = source,
                         .box = {(int32_t)i, -2, 30, 40},
                         .landmarks = i % 2 ? landmarks : NULL,
                         .mask_class = (int8_t)(i % 3 - 1),
                         .embedding = i % 2 ? embedding : NULL,
                         .mean_distance = i % 2 ? 0.25f : NAN,
                         .worn = i % 2 ? "masks/b:under_nose" : NULL};

    memset(pixels, (int)i, sizeof pixels);
    return fsh_shard_add(shard, &row, err);
}

static fsh_status
add_all(fsh_shard *shard, const fsh_shard_meta *meta, uint32_t samples, fsh_err *err)
{
    int64_t first = (int64_t)meta->unit * IDENTITIES;
    fsh_status status = FSH_OK;
    char name[64], source[128];
    uint32_t i, row = 0;

    for (i = 0; i < IDENTITIES && !status; i++) {
        snprintf(name, sizeof name, "%s-%02u-%u", odd_name, meta->unit, i);
        status = fsh_shard_add_identity(shard, first + i, name, err);
    }
    for (i = 0; i < samples * VARIANTS && !status; i++, row++) {
        snprintf(source, sizeof source, "%s-%02u-0/%04u.jpg", odd_name, meta->unit, i / VARIANTS);
        status = add_row(shard, row, first, source, meta->encoding, err);
    }
    if (!status)
        status = fsh_shard_add_rejected(shard,
                                        &(fsh_shard_rejected){"x/no\xff.jpg", first + 1,
                                                              FSH_REASON_NO_FACE, NAN,
                                                              FSH_SHARD_WHOLE_SAMPLE, NULL,
                                                              {0, 0, 0, 0}},
                                        err);
    if (!status && samples)
        status = fsh_shard_add_rejected(
            shard,
            &(fsh_shard_rejected){
                source, first, FSH_REASON_OUT_OF_FRAME, 2.5f, 1, "glasses/a+masks/b", {5, 6, 7, 8}},
            err);
    return status;
}

static fsh_status
write_shard(const char *path, const fsh_shard_meta *meta, uint32_t samples, fsh_err *err)
{
    fsh_shard *shard = NULL;
    fsh_status status = fsh_shard_create(path, meta, &shard, err);

    if (!status)
        status = add_all(shard, meta, samples, err);
    if (status) {
        fsh_shard_abandon(&shard);
        return status;
    }
    return fsh_shard_finish(&shard, err);
}

static void
same_bytes(const char *a, const char *b)
{
    fsh_hash hash_of_a, hash_of_b;
    uint64_t bytes;
    fsh_err err;

    assert_ok(fsh_hash_file(a, &hash_of_a, &bytes, &err), err);
    assert_ok(fsh_hash_file(b, &hash_of_b, &bytes, &err), err);
    assert_memory_equal(&hash_of_a, &hash_of_b, sizeof hash_of_a);
}

/* Runs a Python script in folder; it must print "ok". */
static void
python(const char *folder, const char *script)
{
    char command[8192], answer[4096] = "";
    size_t bytes;
    FILE *pipe;

    snprintf(command, sizeof command, "cd '%s' && /usr/bin/python3 -c '%s' 2>&1", folder, script);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    bytes = fread(answer, 1, sizeof answer - 1, pipe);
    answer[bytes] = '\0';
    pclose(pipe);
    assert_string_equal(answer, "ok\n");
}

static void
path_in(char path[FSH_PATH_BYTES], const char *folder, const char *name)
{
    fsh_err err;

    assert_ok(fsh_path_join(path, folder, name, &err), err);
}

static int
set_up(void **state)
{
    *state = fsh_test_folder();
    return 0;
}

static int
tear_down(void **state)
{
    fsh_test_remove(*state);
    return 0;
}

static void
the_same_rows_give_the_same_bytes(void **state)
{
    char a[FSH_PATH_BYTES], b[FSH_PATH_BYTES];
    int encoding;
    fsh_err err;

    path_in(a, *state, "a.h5");
    path_in(b, *state, "b.h5");
    for (encoding = FSH_ENCODING_RAW; encoding <= FSH_ENCODING_PNG; encoding++) {
        fsh_shard_meta meta = meta_of(0, (fsh_encoding)encoding, DIMENSION);

        assert_ok(write_shard(a, &meta, 200, &err), err);
        assert_ok(write_shard(b, &meta, 200, &err), err);
        same_bytes(a, b);
    }
}

static void
a_shard_reads_back_what_was_written(void **state)
{
    fsh_shard_meta meta = meta_of(0, FSH_ENCODING_RAW, DIMENSION);
    fsh_shard_file *file = NULL;
    const fsh_shard_info *info;
    char path[FSH_PATH_BYTES], **texts;
    int32_t boxes[2][4];
    uint8_t *picture;
    uint64_t id;
    size_t bytes;
    fsh_err err;

    path_in(path, *state, "a.h5");
    assert_ok(write_shard(path, &meta, 200, &err), err);
    assert_ok(fsh_shard_open(path, &file, &err), err);
    info = fsh_shard_get_info(file);
    assert_false(info->index);
    assert_string_equal(info->meta.job_hash, hash_a);
    assert_true(info->meta.seed == meta.seed);
    assert_int_equal(info->rows[FSH_TABLE_ROWS], 400);
    assert_int_equal(info->rows[FSH_TABLE_REJECTED], 2);
    assert_int_equal(info->rows[FSH_TABLE_IDENTITIES], IDENTITIES);
    assert_ok(fsh_shard_read(file, FSH_COLUMN_BOX, 398, 2, boxes, &err), err);
    assert_int_equal(boxes[1][0], 399);
    assert_int_equal(boxes[1][1], -2);
    assert_ok(fsh_shard_read(file, FSH_COLUMN_SAMPLE_ID, 399, 1, &id, &err), err);
    assert_int_equal(id, 1199);
    assert_ok(fsh_shard_read_texts(file, FSH_COLUMN_SOURCE, 398, 2, &texts, &err), err);
    assert_string_equal(texts[1], "n\xff\xfe\n\"1-00-0/0199.jpg");
    free(texts);
    assert_ok(fsh_shard_read_picture(file, 77, &picture, &bytes, &err), err);
    assert_int_equal(bytes, SIZE * SIZE * 3);
    assert_int_equal(picture[bytes - 1], 77);
    free(picture);
    fsh_shard_close(&file);
}

static void
rows_past_the_end_are_refused(void **state)
{
    fsh_shard_meta meta = meta_of(0, FSH_ENCODING_JPEG, 0);
    fsh_shard_file *file = NULL;
    char path[FSH_PATH_BYTES];
    int64_t labels[2];
    uint8_t *picture;
    size_t bytes;
    fsh_err err;

    path_in(path, *state, "a.h5");
    assert_ok(write_shard(path, &meta, 1, &err), err);
    assert_ok(fsh_shard_open(path, &file, &err), err);
    assert_int_equal(fsh_shard_read(file, FSH_COLUMN_LABEL, 1, 2, labels, &err), FSH_FORMAT);
    assert_int_equal(fsh_shard_read(file, FSH_COLUMN_LABEL, UINT64_MAX, 2, labels, &err),
                     FSH_FORMAT);
    assert_int_equal(fsh_shard_read_picture(file, 2, &picture, &bytes, &err), FSH_FORMAT);
    assert_int_equal(fsh_shard_read(file, FSH_COLUMN_EMBEDDING, 0, 1, labels, &err), FSH_FORMAT);
    assert_text_has(err.text, "/embedding");
    fsh_shard_close(&file);
}

static void
plain_h5py_reads_a_raw_shard(void **state)
{
    fsh_shard_meta meta = meta_of(3, FSH_ENCODING_RAW, DIMENSION);
    char path[FSH_PATH_BYTES];
    fsh_err err;

    path_in(path, *state, "a.h5");
    assert_ok(write_shard(path, &meta, SAMPLES, &err), err);
    python(
        *state,
        "import h5py, numpy as np\n"
        "f = h5py.File(\"a.h5\")\n"
        "assert f[\"images\"].shape == (6, 8, 8, 3) and f[\"images\"].dtype == np.uint8\n"
        "assert f[\"images\"].chunks == (1, 8, 8, 3) and f[\"images\"].compression is None\n"
        "assert (f[\"images\"][4] == 4).all()\n"
        "types = {\"label\": \"i8\", \"variant\": \"u1\", \"sample_id\": \"u8\", \"box\": \"i4\",\n"
        "         \"landmarks\": \"f4\", \"mask_class\": \"i1\", \"embedding\": \"f4\",\n"
        "         \"mean_distance\": \"f4\", \"flagged\": \"u1\"}\n"
        "assert all(f[k].dtype == np.dtype(\"<\" + t) for k, t in types.items())\n"
        "assert f[\"landmarks\"].shape == (6, 68, 2) and f[\"embedding\"].shape == (6, 4)\n"
        "assert np.isnan(f[\"landmarks\"][0]).all() and f[\"landmarks\"][3, 0, 0] == 3\n"
        "assert f[\"source\"][5] == b\"n\\xff\\xfe\\n\\\"1-03-0/0002.jpg\"\n"
        "assert list(f[\"label\"]) == [6] * 6\n"
        "assert list(f[\"rejected/reason\"].asstr()) == [\"no_face\", \"out_of_frame\"]\n"
        "assert list(f[\"rejected/variant\"]) == [255, 1]\n"
        "assert list(f[\"rejected/worn\"].asstr()) == [\"\", \"glasses/a+masks/b\"]\n"
        "assert f[\"rejected/box\"][:].tolist() == [[0] * 4, [5, 6, 7, 8]]\n"
        "assert list(f[\"worn\"].asstr()[:2]) == [\"\", \"masks/b:under_nose\"]\n"
        "assert list(f[\"identities/label\"]) == [6, 7]\n"
        "assert f.attrs[\"format\"] == 1 and f.attrs[\"seed\"] == 2**64 - 1\n"
        "assert f.attrs[\"stages\"] == \"detect: {margin: 44}\\n\"\n"
        "assert f.attrs[\"encoding\"] == \"raw\" and f.attrs[\"color_order\"] == \"RGB\"\n"
        "print(\"ok\")\n");
}

static void
columns_that_an_older_shard_lacks_read_as_empty(void **state)
{
    fsh_shard_meta meta = meta_of(0, FSH_ENCODING_RAW, 0);
    int32_t boxes[2][4] = {{1, 1, 1, 1}, {1, 1, 1, 1}};
    char path[FSH_PATH_BYTES], **worn = NULL;
    fsh_shard_file *file;
    fsh_err err;
    int i;

    path_in(path, *state, "a.h5");
    assert_ok(write_shard(path, &meta, SAMPLES, &err), err);
    python(*state, "import h5py\n"
                   "with h5py.File(\"a.h5\", \"r+\") as f:\n"
                   "    for name in (\"worn\", \"rejected/worn\", \"rejected/box\"):\n"
                   "        del f[name]\n"
                   "print(\"ok\")\n");
    assert_ok(fsh_shard_open(path, &file, &err), err);
    assert_ok(fsh_shard_read(file, FSH_COLUMN_REJECTED_BOX, 0, 2, boxes, &err), err);
    assert_ok(fsh_shard_read_texts(file, FSH_COLUMN_REJECTED_WORN, 0, 2, &worn, &err), err);
    for (i = 0; i < 4; i++)
        assert_int_equal(boxes[0][i] | boxes[1][i], 0);
    assert_string_equal(worn[1], "");
    free(worn);
    fsh_shard_close(&file);
}

static void
plain_h5py_reads_an_encoded_shard(void **state)
{
    fsh_shard_meta meta = meta_of(0, FSH_ENCODING_JPEG, 0);
    char path[FSH_PATH_BYTES];
    fsh_err err;

    path_in(path, *state, "a.h5");
    assert_ok(write_shard(path, &meta, SAMPLES, &err), err);
    python(*state,
           "import h5py, numpy as np\n"
           "f = h5py.File(\"a.h5\")\n"
           "assert f[\"images\"].shape == (6,) and \"embedding\" not in f\n"
           "assert f[\"images\"][3].dtype == np.uint8 and list(f[\"images\"][3]) == [3] * 4\n"
           "print(\"ok\")\n");
}

static void
a_shard_of_no_row_is_valid(void **state)
{
    fsh_shard_meta meta = meta_of(0, FSH_ENCODING_RAW, DIMENSION);
    fsh_shard_file *file = NULL;
    char path[FSH_PATH_BYTES];
    fsh_err err;

    path_in(path, *state, "a.h5");
    assert_ok(write_shard(path, &meta, 0, &err), err);
    assert_ok(fsh_shard_open(path, &file, &err), err);
    assert_int_equal(fsh_shard_get_info(file)->rows[FSH_TABLE_ROWS], 0);
    assert_int_equal(fsh_shard_get_info(file)->rows[FSH_TABLE_REJECTED], 1);
    fsh_shard_close(&file);
    python(*state, "import h5py\n"
                   "f = h5py.File(\"a.h5\")\n"
                   "assert f[\"images\"][:].shape == (0, 8, 8, 3) and len(f[\"source\"][:]) == 0\n"
                   "print(\"ok\")\n");
}

static void
a_file_that_is_no_shard_is_told(void **state)
{
    fsh_shard_file *file = NULL;
    char path[FSH_PATH_BYTES];
    fsh_err err;

    path_in(path, *state, "text.h5");
    assert_int_equal(fsh_shard_open(path, &file, &err), FSH_IO);
    assert_ok(fsh_file_write(path, "not HDF5", 8, &err), err);
    assert_int_equal(fsh_shard_open(path, &file, &err), FSH_FORMAT);
    assert_text_has(err.text, path);
    python(*state, "import h5py\n"
                   "h5py.File(\"text.h5\", \"w\").create_dataset(\"images\", (2, 2))\n"
                   "print(\"ok\")\n");
    assert_int_equal(fsh_shard_open(path, &file, &err), FSH_FORMAT);
    assert_text_has(err.text, "kind");
    assert_null(file);
}

/* A limit on the size of files breaks the write that reaches it, whichever it is. */
static void
write_below_limits(const char *path)
{
    fsh_shard_meta meta = meta_of(0, FSH_ENCODING_JPEG, DIMENSION);
    struct rlimit limit = {0, RLIM_INFINITY};
    fsh_err err;

    signal(SIGXFSZ, SIG_IGN);
    for (limit.rlim_cur = 0; limit.rlim_cur < 60000; limit.rlim_cur += 1500) {
        setrlimit(RLIMIT_FSIZE, &limit);
        if (write_shard(path, &meta, 200, &err) != FSH_IO || !strstr(err.text, path))
            _exit(1);
    }
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(write_shard(path, &meta, 200, &err) ? 2 : 0);
}

static void
every_failing_write_is_told_and_harms_nothing(void **state)
{
    char path[FSH_PATH_BYTES];
    pid_t child;
    int status;

    path_in(path, *state, "a.h5");
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_below_limits(path);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_full_disk_is_told_as_full(void **state)
{
    fsh_shard_meta meta = meta_of(0, FSH_ENCODING_RAW, DIMENSION);
    char path[FSH_PATH_BYTES];
    fsh_status status;
    fsh_err err;

    if (mount("none", *state, "tmpfs", 0, "size=64k") != 0) {
        print_message("skipped: a small file system cannot be mounted: %s\n", strerror(errno));
        skip();
    }
    path_in(path, *state, "a.h5");
    status = write_shard(path, &meta, 200, &err);
    umount(*state);
    assert_int_equal(status, FSH_FULL);
    assert_text_has(err.text, path);
}

/* An output folder with shards of units of 2, 0 and 3 samples. */
static void
make_output(const char *folder, fsh_encoding encoding)
{
    static const uint32_t samples[] = {2, 0, 3};
    char path[FSH_PATH_BYTES], name[64];
    uint32_t unit;
    fsh_err err;

    path_in(path, folder, "shards");
    assert_ok(fsh_folder_make(path, &err), err);
    for (unit = 0; unit < 3; unit++) {
        fsh_shard_meta meta = meta_of(unit, encoding, DIMENSION);

        snprintf(name, sizeof name, "shards/shard-%06u.h5", unit);
        path_in(path, folder, name);
        assert_ok(write_shard(path, &meta, samples[unit], &err), err);
    }
}

static fsh_status
build_index(const char *folder, const char *job_hash, fsh_index_totals *totals, fsh_err *err)
{
    fsh_index_plan plan = {folder, "shards/shard-%06u.h5", "index.h5", "manifest.json", job_hash, 3,
                           NULL, NULL};

    return fsh_index_build(&plan, totals, err);
}

static void
the_index_counts_what_the_shards_hold(void **state)
{
    fsh_index_totals totals;
    fsh_shard_file *file = NULL;
    const fsh_shard_info *info;
    char path[FSH_PATH_BYTES], **names;
    uint64_t images[6];
    fsh_err err;

    make_output(*state, FSH_ENCODING_RAW);
    assert_ok(build_index(*state, hash_a, &totals, &err), err);
    assert_int_equal(totals.samples, 8);
    assert_int_equal(totals.delivered, 5);
    assert_int_equal(totals.images, 10);
    assert_int_equal(totals.identities, 6);
    assert_int_equal(totals.rejected[FSH_REASON_NO_FACE], 3);
    assert_int_equal(totals.rejected[FSH_REASON_OUT_OF_FRAME], 0);
    path_in(path, *state, "index.h5");
    assert_ok(fsh_shard_open(path, &file, &err), err);
    info = fsh_shard_get_info(file);
    assert_true(info->index);
    assert_int_equal(info->meta.unit, 3);
    assert_int_equal(info->rows[FSH_TABLE_ROWS], 10);
    assert_int_equal(info->rows[FSH_TABLE_IDENTITIES], 6);
    assert_ok(fsh_shard_read(file, FSH_COLUMN_IDENTITY_IMAGES, 0, 6, images, &err), err);
    assert_int_equal(images[0], 4);
    assert_int_equal(images[2], 0);
    assert_int_equal(images[4], 6);
    assert_ok(fsh_shard_read_texts(file, FSH_COLUMN_SOURCE, 3, 2, &names, &err), err);
    assert_text_has(names[0], "-00-0/0001.jpg");
    assert_text_has(names[1], "-02-0/0000.jpg");
    free(names);
    fsh_shard_close(&file);
}

/* h5py is started in another folder than the one that the files lie in. */
static void
read_moved_index(const char *folder, const char *check)
{
    char script[4096];

    snprintf(
        script, sizeof script,
        "import h5py, json, os, numpy as np\n"
        "os.rename(\"out\", \"moved\")\n"
        "os.chdir(\"/\")\n"
        "f = h5py.File(\"%s/moved/index.h5\")\n"
        "assert f[\"images\"].is_virtual and not f[\"label\"].is_virtual and list(f[\"label\"][:]) == [0] * 4 + [4] * 6\n"
        "assert f[\"source\"][9] == b\"n\\xff\\xfe\\n\\\"1-02-0/0002.jpg\"\n"
        "assert list(f[\"rejected/label\"]) == [1, 0, 3, 5, 4]\n"
        "assert list(f[\"identities/samples\"]) == [2, 0, 0, 0, 3, 0]\n"
        "assert list(f[\"identities/rejected\"]) == [0, 1, 0, 1, 0, 1]\n"
        "reasons = dict(zip(f[\"reasons/code\"].asstr(), f[\"reasons/samples\"]))\n"
        "assert reasons[\"no_face\"] == 3 and reasons[\"corrupt\"] == 0 and \"\" not in reasons\n"
        "assert f.attrs[\"units\"] == 3 and f.attrs[\"kind\"] == \"index\"\n"
        "m = json.load(open(\"%s/moved/manifest.json\"))\n"
        "assert m[\"samples\"] == 8 and m[\"rejected\"] == {\"no_face\": 3}\n"
        "assert [s[\"images\"] for s in m[\"shards\"]] == [4, 0, 6]\n"
        "%s"
        "print(\"ok\")\n",
        folder, folder, check);
    python(folder, script);
}

static void
plain_h5py_reads_the_index_of_a_moved_folder(void **state)
{
    fsh_index_totals totals;
    char path[FSH_PATH_BYTES];
    fsh_err err;

    path_in(path, *state, "out");
    make_output(path, FSH_ENCODING_RAW);
    assert_ok(build_index(path, hash_a, &totals, &err), err);
    read_moved_index(*state,
                     "assert f[\"images\"].shape == (10, 8, 8, 3)\n"
                     "assert list(f[\"images\"][:, 7, 7, 2]) == [0, 1, 2, 3, 0, 1, 2, 3, 4, 5]\n"
                     "import hashlib\n"
                     "for s in m[\"shards\"] + [m[\"index\"]]:\n"
                     "    data = open(f.filename[:-8] + s[\"file\"], \"rb\").read()\n"
                     "    assert len(data) == s[\"bytes\"]\n"
                     "    assert hashlib.sha256(data).hexdigest() == s[\"sha256\"]\n");
}

static void
plain_h5py_reads_encoded_pictures_through_the_index(void **state)
{
    fsh_index_totals totals;
    char path[FSH_PATH_BYTES];
    fsh_err err;

    path_in(path, *state, "out");
    make_output(path, FSH_ENCODING_PNG);
    assert_ok(build_index(path, hash_a, &totals, &err), err);
    read_moved_index(*state,
                     "assert list(f[\"images\"][9]) == [5] * 6 and len(f[\"images\"][:]) == 10\n");
}

static void
the_index_has_the_same_bytes_every_time(void **state)
{
    char path[FSH_PATH_BYTES], kept[FSH_PATH_BYTES], manifest[FSH_PATH_BYTES], copy[FSH_PATH_BYTES];
    fsh_index_totals totals;
    fsh_err err;

    path_in(path, *state, "index.h5");
    path_in(kept, *state, "kept.h5");
    path_in(manifest, *state, "manifest.json");
    path_in(copy, *state, "kept.json");
    make_output(*state, FSH_ENCODING_RAW);
    assert_ok(build_index(*state, hash_a, &totals, &err), err);
    assert_int_equal(rename(path, kept), 0);
    assert_int_equal(rename(manifest, copy), 0);
    assert_ok(build_index(*state, hash_a, &totals, &err), err);
    same_bytes(path, kept);
    same_bytes(manifest, copy);
}

static void
a_missing_damaged_or_foreign_shard_is_named_with_its_remedy(void **state)
{
    char path[FSH_PATH_BYTES];
    fsh_index_totals totals;
    fsh_err err;

    make_output(*state, FSH_ENCODING_RAW);
    path_in(path, *state, "shards/shard-000002.h5");
    assert_int_equal(build_index(*state, "bbbb", &totals, &err), FSH_FORMAT);
    assert_text_has(err.text, "another job");
    assert_int_equal(truncate(path, 3000), 0);
    assert_int_equal(build_index(*state, hash_a, &totals, &err), FSH_FORMAT);
    assert_text_has(err.text, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(build_index(*state, hash_a, &totals, &err), FSH_IO);
    assert_text_has(err.text, path);
    assert_text_has(err.text, "faceshard unit JOB 2");
    path_in(path, *state, "index.h5");
    assert_false(fsh_file_exists(path));
}

static void
shards_from_before_what_was_worn_was_told_are_read_all_the_same(void **state)
{
    fsh_shard_meta meta = meta_of(3, FSH_ENCODING_RAW, DIMENSION);
    char path[FSH_PATH_BYTES], **texts;
    fsh_shard_file *file = NULL;
    fsh_err err;

    path_in(path, *state, "old.h5");
    assert_ok(write_shard(path, &meta, SAMPLES, &err), err);
    python(*state, "import h5py\n"
                   "f = h5py.File(\"old.h5\", \"r+\")\n"
                   "del f[\"worn\"], f[\"rejected/worn\"]\n"
                   "f.close()\n"
                   "print(\"ok\")\n");
    assert_ok(fsh_shard_open(path, &file, &err), err);
    assert_ok(fsh_shard_read_texts(file, FSH_COLUMN_WORN, 1, 2, &texts, &err), err);
    assert_string_equal(texts[1], "");
    free(texts);
    fsh_shard_close(&file);
}

static void
inspect_prints_shards_and_indexes(void **state)
{
    char shard[FSH_PATH_BYTES], index[FSH_PATH_BYTES];
    fsh_index_totals totals;
    fsh_text out = {0};
    fsh_err err;

    make_output(*state, FSH_ENCODING_RAW);
    assert_ok(build_index(*state, hash_a, &totals, &err), err);
    path_in(shard, *state, "shards/shard-000002.h5");
    path_in(index, *state, "index.h5");
    assert_ok(fsh_inspect_print(shard, false, &out, &err), err);
    assert_text_has(fsh_text_get(&out), "/images");
    assert_text_has(fsh_text_get(&out), "no_face");
    fsh_text_clear(&out);
    assert_ok(fsh_inspect_print(index, true, &out, &err), err);
    path_in(index, *state, "inspect.json");
    assert_ok(fsh_file_write(index, out.data, out.bytes, &err), err);
    fsh_text_fini(&out);
    python(*state,
           "import json\n"
           "m = json.load(open(\"inspect.json\"))\n"
           "w = {x[\"what\"]: x for x in m[\"worn\"]}\n"
           "assert w[\"masks/b:under_nose\"][\"images\"] > 0 and w[\"masks/b\"][\"missing\"] > 0\n"
           "assert \"glasses/a\" not in w\n"
           "assert m[\"kind\"] == \"index\" and m[\"images\"] == 10 and m[\"samples\"] == 8\n"
           "assert m[\"rejected\"] == {\"no_face\": 3}, m\n"
           "assert m[\"identities\"] == 6 and m[\"strata\"][\"under_10\"] == 6\n"
           "assert m[\"variants\"] == [{\"name\": \"original\", \"images\": 5},\n"
           "                         {\"name\": \"mask\", \"images\": 5}]\n"
           "print(\"ok\")\n");
}

static void
without_pictures_everything_else_is_there(void **state)
{
    fsh_index_totals totals;
    fsh_shard_file *file = NULL;
    char path[FSH_PATH_BYTES];
    float vector[DIMENSION];
    uint8_t *picture;
    size_t bytes;
    fsh_text out = {0};
    fsh_err err;

    make_output(*state, FSH_ENCODING_NONE);
    assert_ok(build_index(*state, hash_a, &totals, &err), err);
    assert_int_equal(totals.samples, 8);
    path_in(path, *state, "index.h5");
    assert_ok(fsh_shard_open(path, &file, &err), err);
    assert_int_equal(fsh_shard_get_info(file)->rows[FSH_TABLE_ROWS], 10);
    assert_ok(fsh_shard_read(file, FSH_COLUMN_EMBEDDING, 9, 1, vector, &err), err);
    assert_true(vector[0] == 5);
    assert_int_equal(fsh_shard_read_picture(file, 0, &picture, &bytes, &err), FSH_FORMAT);
    assert_text_has(err.text, "has no /images");
    fsh_shard_close(&file);
    assert_ok(fsh_inspect_print(path, false, &out, &err), err);
    assert_text_has(fsh_text_get(&out), "10, without pictures");
    fsh_text_fini(&out);
    python(*state, "import h5py\n"
                   "f = h5py.File(\"index.h5\")\n"
                   "assert \"images\" not in f and f.attrs[\"encoding\"] == \"none\"\n"
                   "assert f[\"embedding\"].shape == (10, 4) and len(f[\"source\"]) == 10\n"
                   "print(\"ok\")\n");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_same_rows_give_the_same_bytes),
        TEST(a_shard_reads_back_what_was_written),
        TEST(rows_past_the_end_are_refused),
        TEST(plain_h5py_reads_a_raw_shard),
        TEST(columns_that_an_older_shard_lacks_read_as_empty),
        TEST(plain_h5py_reads_an_encoded_shard),
        TEST(a_shard_of_no_row_is_valid),
        TEST(a_file_that_is_no_shard_is_told),
        TEST(every_failing_write_is_told_and_harms_nothing),
        TEST(a_full_disk_is_told_as_full),
        TEST(the_index_counts_what_the_shards_hold),
        TEST(plain_h5py_reads_the_index_of_a_moved_folder),
        TEST(plain_h5py_reads_encoded_pictures_through_the_index),
        TEST(the_index_has_the_same_bytes_every_time),
        TEST(a_missing_damaged_or_foreign_shard_is_named_with_its_remedy),
        TEST(shards_from_before_what_was_worn_was_told_are_read_all_the_same),
        TEST(inspect_prints_shards_and_indexes),
        TEST(without_pictures_everything_else_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
