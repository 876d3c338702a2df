#include "base/tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/files.h"

enum { FILE_MAX_BYTES = 1 << 20, DEPTH_MAX = 16 };

struct fsh_tree {
    char *name;
    fsh_node *root;
};

static void
free_nodes(fsh_node *node)
{
    while (node) {
        fsh_node *next = node->next;

        free_nodes(node->child);
        free(node->key);
        free(node->text);
        free(node);
        node = next;
    }
}

static fsh_node *
new_node(fsh_node_kind kind, uint32_t line, const char *text)
{
    fsh_node *node = calloc(1, sizeof *node);

    if (!node)
        return NULL;
    node->kind = kind;
    node->line = line;
    node->text = text ? strdup(text) : NULL;
    if (text && !node->text) {
        free(node);
        return NULL;
    }
    return node;
}

/* What one conversion needs to know on its way down. */
struct conversion {
    yaml_document_t *document;
    const char *name;
    fsh_err *err;
};

static fsh_status convert(struct conversion *c, int index, int depth, fsh_node **node);

static fsh_status
convert_list(struct conversion *c, const yaml_node_t *from, int depth, fsh_node *to)
{
    fsh_node **end = &to->child;
    yaml_node_item_t *item;

    for (item = from->data.sequence.items.start; item < from->data.sequence.items.top; item++) {
        fsh_status status = convert(c, *item, depth + 1, end);

        if (status)
            return status;
        end = &(*end)->next;
    }
    return FSH_OK;
}

static fsh_status
check_key(struct conversion *c, const yaml_node_t *key, const fsh_node *map)
{
    uint32_t line = (uint32_t)key->start_mark.line + 1;
    const fsh_node *entry;

    if (key->type != YAML_SCALAR_NODE)
        return fsh_fail(c->err, FSH_USAGE, "%s:%u: a key must be a word", c->name, line);
    for (entry = map->child; entry; entry = entry->next)
        if (entry->key && strcmp(entry->key, (const char *)key->data.scalar.value) == 0)
            return fsh_fail(c->err, FSH_USAGE, "%s:%u: key '%s' stands here twice (first on line %u)",
                            c->name, line, entry->key, entry->line);
    return FSH_OK;
}

static fsh_status
convert_map(struct conversion *c, const yaml_node_t *from, int depth, fsh_node *to)
{
    fsh_node **end = &to->child;
    yaml_node_pair_t *pair;

    for (pair = from->data.mapping.pairs.start; pair < from->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(c->document, pair->key);
        fsh_status status = check_key(c, key, to);

        if (!status)
            status = convert(c, pair->value, depth + 1, end);
        if (status)
            return status;
        (*end)->key = strdup((const char *)key->data.scalar.value);
        (*end)->line = (uint32_t)key->start_mark.line + 1;
        if (!(*end)->key)
            return fsh_fail(c->err, FSH_MEMORY, "%s: out of memory", c->name);
        end = &(*end)->next;
    }
    return FSH_OK;
}

static fsh_status
convert(struct conversion *c, int index, int depth, fsh_node **node)
{
    const yaml_node_t *from = yaml_document_get_node(c->document, index);
    uint32_t line = (uint32_t)from->start_mark.line + 1;

    if (depth > DEPTH_MAX)
        return fsh_fail(c->err, FSH_USAGE, "%s:%u: nested deeper than %d levels", c->name, line, DEPTH_MAX);
    if (from->type == YAML_SCALAR_NODE)
        *node = new_node(FSH_NODE_SCALAR, line, (const char *)from->data.scalar.value);
    else
        *node = new_node(from->type == YAML_SEQUENCE_NODE ? FSH_NODE_LIST : FSH_NODE_MAP, line, NULL);
    if (!*node)
        return fsh_fail(c->err, FSH_MEMORY, "%s: out of memory", c->name);
    if (from->type == YAML_SEQUENCE_NODE)
        return convert_list(c, from, depth, *node);
    return from->type == YAML_MAPPING_NODE ? convert_map(c, from, depth, *node) : FSH_OK;
}

static fsh_status
convert_document(const char *name, yaml_document_t *document, fsh_node **root, fsh_err *err)
{
    struct conversion c = {document, name, err};
    const yaml_node_t *top = yaml_document_get_root_node(document);
    fsh_status status;

    if (!top) {
        *root = new_node(FSH_NODE_MAP, 1, NULL);
        return *root ? FSH_OK : fsh_fail(err, FSH_MEMORY, "%s: out of memory", name);
    }
    *root = NULL;
    status = convert(&c, 1, 0, root);
    if (status) {
        free_nodes(*root);
        *root = NULL;
    }
    return status;
}

/* libyaml resolves an alias to the node that it names, so a tiny file could stand for an endless tree; the
 * depth bound does not stop width, hence aliases are refused. */
static bool
has_alias(const char *text, size_t bytes)
{
    yaml_parser_t parser;
    yaml_event_t event;
    bool alias = false, end = false;

    if (!yaml_parser_initialize(&parser))
        return true;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    while (!alias && !end && yaml_parser_parse(&parser, &event)) {
        alias = event.type == YAML_ALIAS_EVENT;
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return alias;
}

static fsh_status
parse_root(const char *name, const char *text, size_t bytes, fsh_node **root, fsh_err *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    fsh_status status;

    if (has_alias(text, bytes))
        return fsh_fail(err, FSH_USAGE, "%s: YAML aliases (*name) are not read; write the value out", name);
    if (!yaml_parser_initialize(&parser))
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    if (!yaml_parser_load(&parser, &document)) {
        status = fsh_fail(err, parser.error == YAML_MEMORY_ERROR ? FSH_MEMORY : FSH_USAGE,
                          "%s:%zu: not YAML: %s", name, parser.problem_mark.line + 1,
                          parser.problem ? parser.problem : "unreadable");
    } else {
        status = convert_document(name, &document, root, err);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return status;
}

fsh_status
fsh_tree_parse(const char *name, const char *text, size_t bytes, fsh_tree **tree, fsh_err *err)
{
    fsh_tree *made = calloc(1, sizeof *made);
    fsh_status status = FSH_MEMORY;

    if (made && (made->name = strdup(name)))
        status = parse_root(name, text, bytes, &made->root, err);
    else
        fsh_fail(err, status, "%s: out of memory", name);
    if (!status && made->root->kind != FSH_NODE_MAP)
        status = fsh_fail(err, FSH_USAGE, "%s:%u: expected 'key: value' lines", name, made->root->line);
    if (status) {
        fsh_tree_free(made);
        return status;
    }
    *tree = made;
    return FSH_OK;
}

fsh_status
fsh_tree_read(const char *path, fsh_tree **tree, fsh_err *err)
{
    uint8_t *data;
    size_t bytes;
    fsh_status status = fsh_file_read(path, FILE_MAX_BYTES, &data, &bytes, err);

    if (status)
        return status;
    status = fsh_tree_parse(path, (const char *)data, bytes, tree, err);
    free(data);
    return status;
}

void
fsh_tree_free(fsh_tree *tree)
{
    if (!tree)
        return;
    free_nodes(tree->root);
    free(tree->name);
    free(tree);
}

fsh_node *
fsh_tree_root(fsh_tree *tree)
{
    return tree->root;
}

const char *
fsh_tree_name(const fsh_tree *tree)
{
    return tree->name;
}

fsh_node *
fsh_node_get(const fsh_node *map, const char *key)
{
    fsh_node *entry = map && map->kind == FSH_NODE_MAP ? map->child : NULL;

    while (entry && strcmp(entry->key, key) != 0)
        entry = entry->next;
    return entry;
}

/* The entry named by key: of a map itself, or of the one-key maps (or plain words) in a list. A word that
 * is asked for its parameters becomes a one-key map first. */
static fsh_node *
enter(fsh_node *node, const char *key)
{
    fsh_node *entry;

    if (node->kind == FSH_NODE_MAP)
        return fsh_node_get(node, key);
    for (entry = node->child; entry; entry = entry->next) {
        fsh_node *found = fsh_node_get(entry, key);

        if (found)
            return found;
        if (entry->kind == FSH_NODE_SCALAR && strcmp(entry->text, key) == 0) {
            found = new_node(FSH_NODE_MAP, entry->line, NULL);
            if (!found)
                return NULL;
            found->key = entry->text;
            entry->text = NULL;
            entry->kind = FSH_NODE_MAP;
            entry->child = found;
            return found;
        }
    }
    return NULL;
}

static fsh_node *
append_map_entry(fsh_node *map, const char *key)
{
    fsh_node **end = &map->child, *entry = new_node(FSH_NODE_MAP, 0, NULL);

    if (!entry || !(entry->key = strdup(key))) {
        free_nodes(entry);
        return NULL;
    }
    while (*end)
        end = &(*end)->next;
    *end = entry;
    return entry;
}

/* Walks to the node at path, making maps on the way. */
static fsh_status
walk(fsh_tree *tree, const char *path, fsh_node **at, fsh_err *err)
{
    char copy[512], *rest = copy, *key;

    if (strlen(path) >= sizeof copy)
        return fsh_fail(err, FSH_USAGE, "--set %.60s...: key too long", path);
    strcpy(copy, path);
    *at = tree->root;
    while ((key = strsep(&rest, "."))) {
        fsh_node *next = (*at)->kind == FSH_NODE_SCALAR ? NULL : enter(*at, key);

        if (!next && (*at)->kind == FSH_NODE_SCALAR && !(*at)->text[0])
            (*at)->kind = FSH_NODE_MAP; /* "detect:" with nothing behind it */
        if (!next && (*at)->kind == FSH_NODE_MAP)
            next = append_map_entry(*at, key);
        if (!next)
            return fsh_fail(err, FSH_USAGE, "--set %s: there is no '%s' in %s", path, key, tree->name);
        *at = next;
    }
    return FSH_OK;
}

fsh_status
fsh_tree_set(fsh_tree *tree, const char *path, const char *yaml, fsh_err *err)
{
    fsh_node *at, *value = NULL;
    fsh_status status = parse_root(path, yaml, strlen(yaml), &value, err);

    if (!status)
        status = walk(tree, path, &at, err);
    if (status) {
        free_nodes(value);
        return status;
    }
    free_nodes(at->child);
    free(at->text);
    at->kind = value->kind;
    at->child = value->child;
    at->text = value->text;
    value->child = NULL;
    value->text = NULL;
    free_nodes(value);
    return FSH_OK;
}
