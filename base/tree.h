/* A YAML file as a tree whose nodes know their line, so that a mistake can be told by line.
 * Scalars, lists and maps; no anchors, no tags. Read with libyaml.
 *
 *     fsh_tree *tree;
 *     status = fsh_tree_read("job.yaml", &tree, &err);
 *     node = fsh_node_get(fsh_tree_root(tree), "seed");
 *     fsh_tree_free(tree);
 */
#ifndef FSH_BASE_TREE_H
#define FSH_BASE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum fsh_node_kind { FSH_NODE_SCALAR, FSH_NODE_LIST, FSH_NODE_MAP } fsh_node_kind;

typedef struct fsh_node {
    fsh_node_kind kind;
    uint32_t line;           /* from 1; 0 for a node that did not come from a file */
    char *key;               /* in a map: the key; otherwise NULL */
    char *text;              /* of a scalar; otherwise NULL */
    struct fsh_node *child;  /* first entry of a list or map */
    struct fsh_node *next;   /* next entry of the same list or map */
} fsh_node;

typedef struct fsh_tree fsh_tree;

/* Reads a file of at most 1 MiB. Errors name the file and the line. Free with fsh_tree_free. */
fsh_status fsh_tree_read(const char *path, fsh_tree **tree, fsh_err *err);

/* The same from memory; name stands in error texts. */
fsh_status fsh_tree_parse(const char *name, const char *text, size_t bytes, fsh_tree **tree,
                          fsh_err *err);

void fsh_tree_free(fsh_tree *tree);

/* The root: a map (an empty file is an empty map). Borrowed until the tree is freed. */
fsh_node *fsh_tree_root(fsh_tree *tree);

/* The name given at reading, for error texts. */
const char *fsh_tree_name(const fsh_tree *tree);

/* The entry of a map with this key, or NULL; map may be NULL or of another kind. */
fsh_node *fsh_node_get(const fsh_node *map, const char *key);

/* Sets the value at a dotted path ("stages.detect.margin") to what YAML text says, making maps on the
 * way; a list of one-key maps is entered by that key, as in the stages of a job. */
fsh_status fsh_tree_set(fsh_tree *tree, const char *path, const char *yaml, fsh_err *err);

#endif
