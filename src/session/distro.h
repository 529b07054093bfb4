/* Which distribution this is, for lines that are there on some only. */
#ifndef BERM_SESSION_DISTRO_H
#define BERM_SESSION_DISTRO_H

#include "base/str.h"

/* From the text of os-release(5): the words of ID and ID_LIKE in this order, between spaces ("ubuntu debian"), into size
 * bytes; "" if there is no ID. Pure. */
void distro_parse(struct str text, char *ret_words, size_t size);
/* The same of this machine: /etc/os-release, else /usr/lib/os-release. */
void distro_find(char *ret_words, size_t size);

#endif
