/* dlib's shape predictor (Kazemi and Sullivan, "One millisecond face alignment with an ensemble of
 * regression trees", CVPR 2014), with the same points bit by bit. Each of its 15 levels adds the
 * leaves of 500 trees to the shape: half a kilobyte from each, anywhere in 4 MB. dlib goes from
 * tree to tree and waits for every leaf; here a leaf is asked for as soon as it is known, and added
 * some trees later. Splits lie together in 120 bytes a tree. The file is read three times as fast,
 * too. What maps points into the picture is dlib's own. */
#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dlib/image_processing.h>
#include <dlib/opencv/cv_image.h>

#include "stages/vision/dlib.h"
#include "stages/vision/guard.hpp"

using fsh::guard;

namespace
{

enum : size_t {
    POINTS = 68,
    NUMBERS = 2 * POINTS,
    LEAF_NUMBERS = 144, /* room of a leaf: whole cache lines */
    LINE_NUMBERS = 16,
    TREES_MAX = 4096,
    AHEAD = 32 /* trees between asking for a leaf and adding it */
};

using shape_numbers = dlib::matrix<float, 0, 1>;
using offset = dlib::vector<float, 2>;

struct split {
    uint16_t first, second; /* pixels that are compared */
    float over;             /* to the left where their difference is larger */
};

struct level {
    size_t trees, splits_each;
    std::vector<split> splits;
    std::vector<float> leaf_room;
    float *leaves; /* in leaf_room, at the beginning of a cache line */
    std::vector<unsigned long> anchors;
    std::vector<offset> offsets;

    const float *
    leaf(size_t tree, size_t number) const
    {
        return leaves + (tree * (splits_each + 1) + number) * LEAF_NUMBERS;
    }
};

/* dlib's format: integers are a byte with their length and sign, and as many bytes; floats are a
 * mantissa and an exponent. */
class reader
{
  public:
    reader(const uint8_t *data, size_t n) : at(data), end(data + n)
    {
    }

    int64_t
    integer()
    {
        unsigned head = byte();
        size_t n = head & 0x0f;
        uint64_t value = 0;
        if (head & 0x70 || n == 0 || n > 8 || static_cast<size_t>(end - at) < n)
            fail();
        for (size_t i = 0; i < n; i++)
            value |= static_cast<uint64_t>(at[i]) << 8 * i;
        at += n;
        if (value > INT64_MAX)
            fail();
        return head & 0x80 ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
    }

    size_t
    count(size_t most)
    {
        int64_t value = integer();
        if (value < 0 || static_cast<uint64_t>(value) > most)
            fail();
        return static_cast<size_t>(value);
    }

    float
    real()
    {
        float mantissa = static_cast<float>(integer());
        int64_t exponent = integer();
        if (exponent < -1000 || exponent > 1000)
            fail(); /* infinite, or no number */
        if (exponent < -126 || exponent > 127)
            return std::ldexp(mantissa, static_cast<int>(exponent));
        uint32_t bits = static_cast<uint32_t>(exponent + 127) << 23;
        float power;
        std::memcpy(&power, &bits, sizeof power);
        return mantissa * power;
    }

    /* A column of numbers. */
    void
    column(float *numbers)
    {
        if (std::abs(integer()) != static_cast<int64_t>(NUMBERS) || std::abs(integer()) != 1)
            throw std::runtime_error("has not 68 points");
        for (size_t i = 0; i < NUMBERS; i++)
            numbers[i] = real();
    }

    void
    must_end() const
    {
        if (at != end)
            fail();
    }

    /* Every number takes four bytes or more. */
    void
    must_hold(size_t numbers) const
    {
        if (static_cast<size_t>(end - at) / 4 < numbers)
            fail();
    }

    [[noreturn]] void
    fail() const
    {
        throw std::runtime_error("is no shape predictor of dlib");
    }

  private:
    unsigned
    byte()
    {
        if (at == end)
            fail();
        return *at++;
    }

    const uint8_t *at, *end;
};

void
read_splits(reader &in, level &made)
{
    for (size_t i = 0; i < made.splits_each; i++) {
        split one;
        one.first = static_cast<uint16_t>(in.count(UINT16_MAX));
        one.second = static_cast<uint16_t>(in.count(UINT16_MAX));
        one.over = in.real();
        made.splits.push_back(one);
    }
}

/* Room for all leaves of the level, when the first tree has said how deep they are. */
void
make_room(reader &in, level &made, size_t splits)
{
    if (splits & (splits + 1))
        in.fail();
    in.must_hold(made.trees * (splits + 1) * NUMBERS);
    made.splits_each = splits;
    made.splits.reserve(made.trees * splits);
    made.leaf_room.resize(made.trees * (splits + 1) * LEAF_NUMBERS + LINE_NUMBERS);
    made.leaves = reinterpret_cast<float *>(
        (reinterpret_cast<uintptr_t>(made.leaf_room.data()) + 63) & ~static_cast<uintptr_t>(63));
}

level
read_trees(reader &in)
{
    level made = {};
    made.trees = in.count(TREES_MAX);
    for (size_t tree = 0; tree < made.trees; tree++) {
        size_t splits = in.count(1023);
        if (tree == 0)
            make_room(in, made, splits);
        if (splits != made.splits_each)
            throw std::runtime_error("has trees of different depths");
        read_splits(in, made);
        if (in.count(1024) != splits + 1)
            in.fail();
        for (size_t i = 0; i <= splits; i++)
            in.column(made.leaves + (tree * (splits + 1) + i) * LEAF_NUMBERS);
    }
    return made;
}

void
check_splits(const reader &in, const level &made)
{
    for (const split &one : made.splits)
        if (one.first >= made.offsets.size() || one.second >= made.offsets.size())
            in.fail();
}

/* A file in memory as long as this lives. */
class mapped
{
  public:
    explicit mapped(const char *path)
    {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        struct stat about;
        if (file >= 0 && fstat(file, &about) == 0 && about.st_size > 0) {
            bytes = static_cast<size_t>(about.st_size);
            data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
        }
        if (file >= 0)
            close(file);
        if (data == MAP_FAILED)
            throw std::runtime_error("cannot be read");
    }
    mapped(const mapped &) = delete;
    mapped &operator=(const mapped &) = delete;
    ~mapped()
    {
        munmap(data, bytes);
    }

    reader
    read() const
    {
        return reader(static_cast<const uint8_t *>(data), bytes);
    }

  private:
    void *data = MAP_FAILED;
    size_t bytes = 0;
};

} // namespace

struct fsh_shape {
    shape_numbers initial;
    std::vector<level> levels;
};

static void
read_shape(const char *path, fsh_shape &shape)
{
    mapped file(path);
    reader in = file.read();
    if (in.integer() != 1)
        in.fail();
    shape.initial.set_size(NUMBERS);
    in.column(&shape.initial(0));
    size_t levels = in.count(1024);
    for (size_t i = 0; i < levels; i++)
        shape.levels.push_back(read_trees(in));
    if (in.count(1024) != levels)
        in.fail();
    for (level &one : shape.levels)
        for (size_t n = in.count(UINT16_MAX); n > 0; n--)
            one.anchors.push_back(in.count(POINTS - 1));
    if (in.count(1024) != levels)
        in.fail();
    for (level &one : shape.levels) {
        if (in.count(UINT16_MAX) != one.anchors.size())
            in.fail();
        for (size_t n = one.anchors.size(); n > 0; n--) {
            float x = in.real(), y = in.real();
            one.offsets.emplace_back(x, y);
        }
        check_splits(in, one);
    }
    in.must_end();
}

extern "C" fsh_status
fsh_shape_open(const char *path, fsh_shape **shape, fsh_err *err)
{
    fsh_status status = guard(err, [&] {
        auto made = std::make_unique<fsh_shape>();
        read_shape(path, *made);
        *shape = made.release();
        return FSH_OK;
    });
    return status == FSH_FORMAT ? fsh_fail_within(err, FSH_MODEL, "%s", path) : status;
}

extern "C" void
fsh_shape_close(fsh_shape *shape)
{
    delete shape;
}

static const float *
find_leaf(const level &of, size_t tree, const float *pixels)
{
    const split *splits = &of.splits[tree * of.splits_each];
    size_t i = 0;
    while (i < of.splits_each)
        i = 2 * i + 2 - (pixels[splits[i].first] - pixels[splits[i].second] > splits[i].over);
    return of.leaf(tree, i - of.splits_each);
}

static void
add(float *numbers, const float *leaf)
{
    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] += leaf[i];
}

/* The leaves of all trees, in their order: another one would round differently. */
static void
add_leaves(const level &of, const float *pixels, float *numbers)
{
    const float *coming[AHEAD];
    for (size_t tree = 0; tree < of.trees + AHEAD; tree++) {
        if (tree >= AHEAD)
            add(numbers, coming[tree % AHEAD]);
        if (tree >= of.trees)
            continue;
        const float *leaf = coming[tree % AHEAD] = find_leaf(of, tree, pixels);
        for (size_t i = 0; i < LEAF_NUMBERS; i += LINE_NUMBERS)
            __builtin_prefetch(leaf + i);
    }
}

extern "C" fsh_status
fsh_shape_run(const fsh_shape *shape, const fsh_image *image, const fsh_box *box,
              fsh_point points[68], fsh_err *err)
{
    return guard(err, [&] {
        dlib::cv_image<dlib::rgb_pixel> picture(fsh::view(image));
        dlib::rectangle face(box->x, box->y, box->x + box->width - 1, box->y + box->height - 1);
        shape_numbers current = shape->initial;
        std::vector<float> pixels;
        for (const level &one : shape->levels) {
            dlib::impl::extract_feature_pixel_values(picture, face, current, shape->initial,
                                                     one.anchors, one.offsets, pixels);
            add_leaves(one, pixels.data(), &current(0));
        }
        const dlib::point_transform_affine to_image = dlib::impl::unnormalizing_tform(face);
        for (size_t i = 0; i < POINTS; i++) {
            dlib::point at = to_image(dlib::impl::location(current, i));
            points[i] = {static_cast<float>(at.x()), static_cast<float>(at.y())};
        }
        return FSH_OK;
    });
}
