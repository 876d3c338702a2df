#include "base/listener.h"

#include <stddef.h>

void
fsh_listener_tell(const fsh_listener *steps, uint64_t done, uint64_t of)
{
    if (steps && steps->told)
        steps->told(steps->self, steps->text ? steps->text : "", done, of);
}

fsh_listener
fsh_listener_at(const fsh_listener *steps, const char *text)
{
    return steps ? (fsh_listener){steps->told, steps->self, text}
                 : (fsh_listener){NULL, NULL, text};
}
