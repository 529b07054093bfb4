/*
 * Which package registries the configuration files of tools name: npmrc, yarnrc, pip.conf, uv.toml, cargo's config.toml,
 * go's env file, maven's settings.xml, apt's sources. Each reader takes the text of one file and tells addresses; it is
 * strict where it has to be sure and skips what it does not know. Nothing is run and no other file is read. Pure, no heap.
 */
#ifndef BERM_FORMAT_REGISTRY_FILES_H
#define BERM_FORMAT_REGISTRY_FILES_H

#include "base/str.h"

enum registry_role {
	REGISTRY_MAIN = 0, /* stands in for the tool's own registry */
	REGISTRY_SUMS,	   /* stands in for the tool's own list of checksums (go) */
	REGISTRY_EXTRA,	   /* beside it */
	REGISTRY_ROLES
};

struct registry_sink {
	void *context;
	/* url is borrowed. "" (with MAIN and SUMS): the tool's own is switched off. False stops the reader. */
	bool (*add)(void *context, enum registry_role role, struct str url);
	/* The value of an environment variable that a file refers to as ${NAME}, for npmrc; "" if it is not set. */
	struct str (*variable)(void *context, struct str name);
};

/* False: the file is not what the tool would accept, or the sink stopped; what was told before does not count. */
typedef bool (*registry_reader)(struct str text, const struct registry_sink *sink);

bool registry_read_npmrc(struct str text, const struct registry_sink *sink);
bool registry_read_yarnrc(struct str text, const struct registry_sink *sink); /* of both yarns */
bool registry_read_pip_conf(struct str text, const struct registry_sink *sink);
bool registry_read_uv_toml(struct str text, const struct registry_sink *sink);
bool registry_read_cargo_config(struct str text, const struct registry_sink *sink);
bool registry_read_go_env(struct str text, const struct registry_sink *sink);
/* What go's env file says for a variable, as it is written; "": nothing. */
struct str registry_go_env_value(struct str text, struct str name);
bool registry_read_maven_settings(struct str text, const struct registry_sink *sink);
bool registry_read_apt_list(struct str text, const struct registry_sink *sink);	   /* one line for each source */
bool registry_read_apt_sources(struct str text, const struct registry_sink *sink); /* deb822 */

/* Values of environment variables, told in the same way. */
bool registry_read_url(struct str value, enum registry_role role, const struct registry_sink *sink);
bool registry_read_words(struct str value, enum registry_role role, const struct registry_sink *sink); /* a b name=c */
bool registry_read_goproxy(struct str value, const struct registry_sink *sink);
bool registry_read_gosumdb(struct str value, const struct registry_sink *sink);

enum {
	REGISTRY_HOST_MAX = 256 + 8, /* "HOST:PORT" with its NUL */
	REGISTRY_URL_MAX = 1024,
};
/* "HOST" (port 443) or "HOST:PORT" of an http or https address, lower case, as a policy's network lines have it. False:
 * it is none, or has a character that does not belong there. "sparse+" and the like in front of the scheme do not count. */
bool registry_url_host(struct str url, char ret_host[static REGISTRY_HOST_MAX]);
/* The address without a user and password. False as above, or it does not fit. */
bool registry_url_plain(struct str url, char ret_url[static REGISTRY_URL_MAX]);

#endif
