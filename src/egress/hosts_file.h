/*
 * The machine's own names: etc/hosts, read once. What it says of a name is all that is known of it (as "hosts: files dns"
 * has it); lines that do not hold, and what is beyond the maxima, are left out. Pure.
 */
#ifndef BERM_EGRESS_HOSTS_FILE_H
#define BERM_EGRESS_HOSTS_FILE_H

#include "format/address.h"

enum {
	HOSTS_NAMES_MAX = 65536, /* pairs of a name and an address */
	HOSTS_BYTES_MAX = 8 * 1024 * 1024,
};

struct hosts_file;

/* Errors: NOMEM. */
MUST_USE enum berm_code hosts_file_parse(struct str text, struct hosts_file **ret_hosts, struct berm_err *err);
void hosts_file_free(struct hosts_file *hosts);
/* The addresses of a canonical name, in the order of the file, at most max; 0: the file does not have it. */
size_t hosts_file_find(const struct hosts_file *hosts, struct str name, struct net_address *ret_addresses, size_t max);

#endif
