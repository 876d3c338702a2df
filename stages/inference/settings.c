#include "stages/inference/settings.h"

/* Which of the forms a field has, only its reader knows: all are kept. */
static bool
add_field(fsh_settings *s, const fsh_wire_field *f)
{
    s->seen |= 1u << f->number;
    if (f->kind == FSH_WIRE_BYTES) {
        if (s->bytes[f->number].at)
            return false;
        s->bytes[f->number] = f->bytes;
    } else if (f->kind == FSH_WIRE_FIXED32) {
        s->real[f->number] = fsh_wire_real(f);
        s->reals_other |= (uint32_t)(s->real[f->number] != 1) << f->number;
    } else {
        return fsh_wholes_add(&s->wholes[f->number], f);
    }
    return true;
}

bool
fsh_settings_read(fsh_settings *settings, fsh_wire layer, uint32_t message)
{
    fsh_wire_field f, inside;

    *settings = (fsh_settings){.seen = 0};
    while (fsh_wire_next(&layer, &f)) {
        if (f.number != message)
            continue;
        if (f.kind != FSH_WIRE_BYTES)
            return false;
        while (fsh_wire_next(&f.bytes, &inside))
            if (inside.number >= FSH_SETTINGS_FIELDS || !add_field(settings, &inside))
                return false;
        if (f.bytes.damaged)
            return false;
    }
    return !layer.damaged;
}

uint32_t
fsh_settings_refused(const fsh_settings *settings, uint32_t known, const fsh_setting *fixed,
                     uint32_t n)
{
    uint32_t field, i;

    for (field = 1; field < FSH_SETTINGS_FIELDS; field++) {
        bool fine = known >> field & 1;

        for (i = 0; !fine && i < n; i++)
            fine = fixed[i].field == field && settings->wholes[field].n == 1 &&
                   settings->wholes[field].at[0] == fixed[i].value;
        if (settings->seen >> field & 1 && !fine)
            return field;
    }
    return 0;
}

int64_t
fsh_settings_whole(const fsh_settings *settings, uint32_t field, int64_t without)
{
    const fsh_wholes *list = &settings->wholes[field];

    return list->n ? list->at[list->n - 1] : without;
}

float
fsh_settings_real(const fsh_settings *settings, uint32_t field, float without)
{
    return settings->seen >> field & 1 ? settings->real[field] : without;
}

bool
fsh_settings_wholes(const fsh_settings *settings, uint32_t field, fsh_wholes *out)
{
    fsh_wire_field packed = {.kind = FSH_WIRE_BYTES, .bytes = settings->bytes[field]};

    *out = settings->wholes[field];
    return !packed.bytes.at || fsh_wholes_add(out, &packed);
}

bool
fsh_settings_all_one(const fsh_settings *settings, uint32_t field)
{
    fsh_wire packed = settings->bytes[field];

    if (!packed.at)
        return !(settings->reals_other >> field & 1);
    for (; packed.end - packed.at >= 4; packed.at += 4)
        if (fsh_wire_float(packed.at) != 1)
            return false;
    return packed.at == packed.end;
}

bool
fsh_settings_message(const fsh_settings *settings, uint32_t field, fsh_wire *out)
{
    *out = settings->bytes[field];
    return out->at != NULL;
}

bool
fsh_wholes_read(fsh_wholes *list, fsh_wire message)
{
    fsh_wire_field f;

    while (fsh_wire_next(&message, &f))
        if (f.number == 1 && !fsh_wholes_add(list, &f))
            return false;
    return !message.damaged;
}
