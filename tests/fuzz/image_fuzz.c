/* Picture files: any bytes are a picture within the bound, or are refused with a reason. */
#include "tests/fuzz/fuzzing.h"

#include "stages/vision/decode.h"

enum { PIXELS_MAX = 1 << 18 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static int ready;
    fsh_image image = {0};
    fsh_jpeg_tables tables;
    fsh_reason reason = FSH_REASON_NONE;
    fsh_err err = {""};
    fsh_status status;

    if (!ready)
        fsh_vision_init();
    ready = 1;
    status = fsh_decode(data, bytes, PIXELS_MAX, &image, &reason, &err);
    FUZZ_CHECK(status == FSH_OK || status == FSH_FORMAT || status == FSH_MEMORY);
    FUZZ_CHECK((status == FSH_FORMAT) == (reason != FSH_REASON_NONE));
    FUZZ_CHECK(!status || err.text[0]);
    if (!status) {
        FUZZ_CHECK(image.width > 0 && image.height > 0 && image.channels == 3);
        FUZZ_CHECK((int64_t)image.width * image.height <= PIXELS_MAX);
    }
    fsh_image_fini(&image);
    if (fsh_jpeg_tables_read(data, bytes, &tables))
        FUZZ_CHECK(tables.light[63] > 0 && tables.colour[0] > 0 && tables.across > 0);
    return 0;
}
