#include "worker/turned_away.h"

void
fsh_turned_away_text(fsh_link_failure failure, const char *key, const char *host, fsh_err *text)
{
    switch (failure) {
    case FSH_LINK_UNLISTED:
        fsh_fail(text, FSH_NETWORK,
                 "the coordinator does not know this worker's key; add this line to the file "
                 FSH_KEYS_ALLOWED " in the coordinator's folder of keys, which it reads again by "
                 "itself, and start the worker again: %s %s",
                 key, host);
        break;
    case FSH_LINK_MISMATCH:
        if (key[0])
            fsh_fail(text, FSH_NETWORK,
                     "the coordinator asks for no keys, and this worker has been given some: start "
                     "the coordinator with --keys too, or the worker without");
        else
            fsh_fail(text, FSH_NETWORK,
                     "the coordinator asks for a key: start the worker with --keys FOLDER, where "
                     "FOLDER is one that `faceshard keygen` has made beside the coordinator's keys");
        break;
    case FSH_LINK_STRANGE:
        fsh_fail(text, FSH_NETWORK,
                 "who answers there does not have the key of the coordinator that this worker was "
                 "given (coordinator.public), or is no coordinator: check the address, and copy "
                 "coordinator.public again from where its keys were made");
        break;
    }
}
