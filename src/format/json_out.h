/*
 * JSON out, one value after another into a bounded buffer; whether it fitted is asked of the buffer at the end
 * (buf_check). The output is pure ASCII-safe UTF-8: control bytes are escaped, and bytes that are not UTF-8 become
 * U+FFFD each, so that no path can break a line or a terminal.
 */
#ifndef BERM_FORMAT_JSON_OUT_H
#define BERM_FORMAT_JSON_OUT_H

#include "base/buf.h"

struct json_out {
	struct buf *buf;
	bool comma; /* the next member needs one in front */
};

void json_init(struct json_out *json, struct buf *buf);
/* key: the member's name in an object, NULL in an array and at the top. */
void json_object(struct json_out *json, const char *key);
void json_object_end(struct json_out *json);
void json_array(struct json_out *json, const char *key);
void json_array_end(struct json_out *json);
void json_text(struct json_out *json, const char *key, struct str value);
void json_u64(struct json_out *json, const char *key, uint64_t value);
void json_i64(struct json_out *json, const char *key, int64_t value);
void json_bool(struct json_out *json, const char *key, bool value);
void json_null(struct json_out *json, const char *key);

#endif
