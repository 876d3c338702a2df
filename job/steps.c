#include "job/steps.h"

#include <stdlib.h>
#include <string.h>

/* Presets are chains as a user could write them, so that there is one way to read them. */
const fsh_preset fsh_presets[] = {
    {"original", "[[]]"},
    {"masked4", "[[], [augment], [mask, augment], [mask, augment]]"},
    {"masked6", "[[], [augment], [mask, augment], [mask, augment], [glasses, augment],"
                " [glasses, mask, augment]]"},
    {"masked8", "[[], [augment], [mask, augment], [mask, augment], [glasses, augment],"
                " [glasses, mask, augment], [sunglasses, augment], [sunglasses, mask, augment]]"},
    {NULL, NULL},
};

void
fsh_chain_fini(fsh_chain *chain)
{
    uint32_t i;

    for (i = 0; i < chain->steps_n; i++)
        free(chain->steps[i].params);
    chain->steps_n = 0;
}

void
fsh_chain_name(const fsh_chain *chain, fsh_text *out)
{
    uint32_t i;

    if (chain->steps_n == 0)
        fsh_text_add(out, "original");
    for (i = 0; i < chain->steps_n; i++)
        fsh_text_addf(out, "%s%s", i ? "+" : "", chain->steps[i].stage->name);
}

void
fsh_chain_print(const fsh_chain *chain, fsh_text *out)
{
    uint32_t i;

    fsh_text_add(out, "[");
    for (i = 0; i < chain->steps_n; i++) {
        fsh_text_addf(out, "%s{%s: ", i ? ", " : "", chain->steps[i].stage->name);
        fsh_args_print(chain->steps[i].stage->args, chain->steps[i].params, out);
        fsh_text_add(out, "}");
    }
    fsh_text_add(out, "]");
}

static fsh_status
append_step(fsh_chain *chain, const fsh_stage *stage, const fsh_node *params, const char *file,
            fsh_err *err)
{
    fsh_step step = {stage, calloc(1, stage->params_size + 1)};
    fsh_status status;

    if (!step.params)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    status = fsh_args_defaults(stage->args, step.params, err);
    if (!status)
        status = fsh_args_read(stage->args, step.params, params, file, err);
    if (!status && chain->steps_n == FSH_STEPS_MAX)
        status = fsh_fail(err, FSH_USAGE, "%s: more than %d stages in one chain", file, FSH_STEPS_MAX);
    if (status) {
        free(step.params);
        return status;
    }
    chain->steps[chain->steps_n++] = step;
    return FSH_OK;
}

/* An entry of a chain is a word or a map with one key; gives its name and its parameters. */
static fsh_status
split_entry(const fsh_node *entry, const char *file, const char **name, const fsh_node **params,
            fsh_err *err)
{
    if (entry->kind == FSH_NODE_SCALAR) {
        *name = entry->text;
        *params = NULL;
        return FSH_OK;
    }
    if (entry->kind == FSH_NODE_MAP && entry->child && !entry->child->next) {
        *name = entry->child->key;
        *params = entry->child;
        return FSH_OK;
    }
    return fsh_fail(err, FSH_USAGE, "%s:%u: found %s, expected the name of a stage, or 'name: {parameters}'",
                    file, entry->line, entry->kind == FSH_NODE_LIST ? "a list" : "several keys in one entry");
}

static fsh_status
unknown_stage(const char *name, uint32_t line, const char *file, fsh_err *err)
{
    fsh_text names = {0};
    uint32_t i;

    for (i = 0; fsh_stages[i]; i++)
        fsh_text_addf(&names, "%s, ", fsh_stages[i]->name);
    fsh_fail(err, FSH_USAGE, "%s:%u: unknown stage '%s'; allowed: %svariants", file, line, name,
             fsh_text_get(&names));
    fsh_text_fini(&names);
    return FSH_USAGE;
}

static fsh_status
find_stage(const char *name, uint32_t line, const char *file, const fsh_stage **stage, fsh_err *err)
{
    *stage = fsh_stage_find(name);
    return *stage ? FSH_OK : unknown_stage(name, line, file, err);
}

static fsh_status
read_chain(fsh_chain *chain, const fsh_node *list, const char *file, fsh_err *err)
{
    const fsh_node *entry, *params = NULL;
    const fsh_stage *stage = NULL;
    const char *name = NULL;

    if (list->kind != FSH_NODE_LIST)
        return fsh_fail(err, FSH_USAGE, "%s:%u: found %s, expected a list of stages such as [mask, augment]",
                        file, list->line, list->text ? list->text : "keys and values");
    for (entry = list->child; entry; entry = entry->next) {
        fsh_status status = split_entry(entry, file, &name, &params, err);

        if (!status)
            status = find_stage(name, entry->line, file, &stage, err);
        if (!status && stage->phase != FSH_PHASE_SYNTHESISE)
            status = fsh_fail(err, FSH_USAGE, "%s:%u: '%s' works on photographs or identities and cannot "
                              "stand in a variant", file, entry->line, name);
        if (!status)
            status = append_step(chain, stage, params, file, err);
        if (status)
            return status;
    }
    return FSH_OK;
}

static fsh_status
read_chains(fsh_job *job, const fsh_node *list, const char *file, fsh_err *err)
{
    const fsh_node *entry;

    for (entry = list->child; entry; entry = entry->next) {
        fsh_status status;

        if (job->variants_n == FSH_VARIANTS_MAX)
            return fsh_fail(err, FSH_USAGE, "%s:%u: more than %d variants", file, entry->line,
                            FSH_VARIANTS_MAX);
        status = read_chain(&job->variants[job->variants_n++], entry, file, err);
        if (status)
            return status;
    }
    return FSH_OK;
}

static fsh_status
read_preset(fsh_job *job, const fsh_node *name, const char *file, fsh_err *err)
{
    const fsh_preset *preset = fsh_presets;
    fsh_text yaml = {0};
    fsh_tree *tree;
    fsh_status status;

    while (preset->name && strcmp(preset->name, name->text) != 0)
        preset++;
    if (!preset->name)
        return fsh_fail(err, FSH_USAGE, "%s:%u: variants: found '%s', expected original, masked4, masked6, "
                        "masked8 or a list of chains such as [[], [mask, augment]]", file, name->line,
                        name->text);
    fsh_text_addf(&yaml, "variants: %s", preset->chains);
    status = fsh_tree_parse(file, fsh_text_get(&yaml), yaml.bytes, &tree, err);
    fsh_text_fini(&yaml);
    if (status)
        return status;
    status = read_chains(job, fsh_node_get(fsh_tree_root(tree), "variants"), file, err);
    fsh_tree_free(tree);
    return status;
}

static fsh_status
read_variants(fsh_job *job, const fsh_node *value, uint32_t line, const char *file, fsh_err *err)
{
    if (job->variants_n)
        return fsh_fail(err, FSH_USAGE, "%s:%u: 'variants' stands behind other outputs; give all of them "
                        "as chains of one 'variants'", file, line);
    if (value && value->kind == FSH_NODE_SCALAR)
        return read_preset(job, value, file, err);
    if (value && value->kind == FSH_NODE_LIST && value->child)
        return read_chains(job, value, file, err);
    return fsh_fail(err, FSH_USAGE, "%s:%u: variants: expected the name of a preset or a list of chains",
                    file, line);
}

static unsigned
facts_of(const fsh_chain *chain)
{
    unsigned facts = 0;
    uint32_t i;

    for (i = 0; i < chain->steps_n; i++)
        facts |= chain->steps[i].stage->gives;
    return facts;
}

/* Puts in, with their defaults, the stages that give what needs asks for and is not there yet. They go
 * behind the ANALYSE stages, before any SELECT stage. */
static fsh_status
supply(fsh_chain *chain, unsigned needs, const char *file, fsh_err *err)
{
    uint32_t i, place;

    for (i = 0; fsh_stages[i]; i++) {
        const fsh_stage *stage = fsh_stages[i];
        fsh_step step;
        fsh_status status;

        if (!(stage->gives & needs & ~facts_of(chain)))
            continue;
        status = supply(chain, stage->needs, file, err);
        if (!status)
            status = append_step(chain, stage, NULL, file, err);
        if (status)
            return status;
        step = chain->steps[chain->steps_n - 1];
        for (place = chain->steps_n - 1;
             place > 0 && chain->steps[place - 1].stage->phase > stage->phase; place--)
            chain->steps[place] = chain->steps[place - 1];
        chain->steps[place] = step;
    }
    return FSH_OK;
}

/* A step of the list itself. Its order is the order of the phases; a stage stands there once. */
static fsh_status
add_step(fsh_job *job, const fsh_stage *stage, const fsh_node *params, uint32_t line, const char *file,
         fsh_err *err)
{
    fsh_chain *chain = &job->stages;
    uint32_t i;
    fsh_status status;

    for (i = 0; i < chain->steps_n; i++) {
        const fsh_stage *earlier = chain->steps[i].stage;

        if (earlier == stage)
            return fsh_fail(err, FSH_USAGE, "%s:%u: '%s' stands too late or twice: it has run already, "
                            "because an earlier stage needs it; put it first", file, line, stage->name);
        if (earlier->phase > stage->phase)
            return fsh_fail(err, FSH_USAGE, "%s:%u: '%s' must stand before '%s'", file, line, stage->name,
                            earlier->name);
    }
    status = supply(chain, stage->needs, file, err);
    return status ? status : append_step(chain, stage, params, file, err);
}

/* A synthesis stage outside `variants` belongs to the one chain that every picture goes through. */
static fsh_status
add_single_chain_step(fsh_job *job, const fsh_stage *stage, const fsh_node *params, const char *file,
                      fsh_err *err)
{
    if (job->variants_n == 0)
        job->variants_n = 1;
    return append_step(&job->variants[0], stage, params, file, err);
}

static fsh_status
read_entry(fsh_job *job, const fsh_node *entry, const char *file, bool *variants_seen, fsh_err *err)
{
    const fsh_node *params = NULL;
    const fsh_stage *stage = NULL;
    const char *name = NULL;
    fsh_status status = split_entry(entry, file, &name, &params, err);

    if (status)
        return status;
    if (*variants_seen)
        return fsh_fail(err, FSH_USAGE, "%s:%u: '%s' stands behind 'variants', which must be the last stage",
                        file, entry->line, name);
    if (strcmp(name, "variants") == 0) {
        *variants_seen = true;
        return read_variants(job, params, entry->line, file, err);
    }
    status = find_stage(name, entry->line, file, &stage, err);
    if (status)
        return status;
    if (stage->phase == FSH_PHASE_SYNTHESISE)
        return add_single_chain_step(job, stage, params, file, err);
    if (job->variants_n)
        return fsh_fail(err, FSH_USAGE, "%s:%u: '%s' must stand before the stages that change pictures",
                        file, entry->line, name);
    return add_step(job, stage, params, entry->line, file, err);
}

/* What the variants and the cutting itself need. */
static fsh_status
supply_outputs(fsh_job *job, const char *file, fsh_err *err)
{
    unsigned needs = FSH_FACT_FACE;
    uint32_t i, k;

    if (job->variants_n == 0)
        job->variants_n = 1;
    for (i = 0; i < job->variants_n; i++)
        for (k = 0; k < job->variants[i].steps_n; k++)
            needs |= job->variants[i].steps[k].stage->needs;
    return supply(&job->stages, needs, file, err);
}

fsh_status
fsh_steps_read(fsh_job *job, const fsh_node *list, const char *file, fsh_err *err)
{
    const fsh_node *entry = NULL;
    bool variants_seen = false;

    if (list && list->kind == FSH_NODE_LIST)
        entry = list->child;
    else if (list && !(list->kind == FSH_NODE_SCALAR && !list->text[0]))
        return fsh_fail(err, FSH_USAGE, "%s:%u: stages: expected a list: lines that begin with '- '", file,
                        list->line);
    for (; entry; entry = entry->next) {
        fsh_status status = read_entry(job, entry, file, &variants_seen, err);

        if (status)
            return status;
    }
    return supply_outputs(job, file, err);
}
