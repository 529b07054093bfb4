#include "format/host.h"

#include <string.h>

#define PORT_MAX 65535

static bool refuse(const char **ret_why, const char *why)
{
	if (ret_why != NULL)
		*ret_why = why;
	return false;
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_name_byte(char byte)
{
	return is_digit(byte) || (lower(byte) >= 'a' && lower(byte) <= 'z') || byte == '-' || byte == '_';
}

/* URL parsers take what ends in a number for an IPv4 address: decimal, octal, or hexadecimal with 0x. */
static bool is_number(struct str label)
{
	bool hex = label.len >= 2 && label.ptr[0] == '0' && lower(label.ptr[1]) == 'x';
	for (size_t i = hex ? 2 : 0; i < label.len; i++)
		if (!is_digit(label.ptr[i]) && !(hex && lower(label.ptr[i]) >= 'a' && lower(label.ptr[i]) <= 'f'))
			return false;
	return label.len > 0;
}

static const char *label_fault(struct str label)
{
	if (label.len == 0)
		return "has an empty label";
	if (label.len > HOST_LABEL_MAX)
		return "has a label of more than 63 bytes";
	for (size_t i = 0; i < label.len; i++)
		if (!is_name_byte(label.ptr[i]))
			return "has a byte that no host name has";
	if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return "has a label that begins or ends with '-'";
	return NULL;
}

static struct str last_label(struct str name)
{
	const char *dot = memrchr(name.ptr, '.', name.len);
	return dot == NULL ? name : (struct str){dot + 1, (size_t)(name.ptr + name.len - dot - 1)};
}

static const char *name_fault(struct str name)
{
	struct str rest = name, label;
	if (name.len == 0)
		return "is empty";
	if (name.len > HOST_NAME_MAX)
		return "is longer than 253 bytes";
	if (name.ptr[name.len - 1] == '.')
		return "has an empty label";
	while (str_next(&rest, '.', &label)) {
		const char *fault = label_fault(label);
		if (fault != NULL)
			return fault;
	}
	return is_number(last_label(name)) ? "looks like an address, but is not one" : NULL;
}

static bool read_name(struct str text, struct host *ret_host, const char **ret_why)
{
	struct host host = {.kind = HOST_NAME};
	if (text.len > 1 && text.ptr[text.len - 1] == '.')
		text.len--;
	const char *fault = name_fault(text);
	if (fault != NULL)
		return refuse(ret_why, fault);
	for (size_t i = 0; i < text.len; i++)
		host.name[i] = lower(text.ptr[i]);
	host.name_len = (uint8_t)text.len;
	*ret_host = host;
	return true;
}

/* ---- hosts ----------------------------------------------------------------------------------------------------- */

static bool has_byte(struct str text, char byte)
{
	return memchr(text.ptr, byte, text.len) != NULL;
}

static bool is_bracketed(struct str text)
{
	return text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';
}

static bool read_ipv6(struct str text, struct host *ret_host, const char **ret_why)
{
	struct host host = {.kind = HOST_ADDRESS};
	if (has_byte(text, '%'))
		return refuse(ret_why, "has a zone");
	if (!has_byte(text, ':') || !address_parse(text, &host.address))
		return refuse(ret_why, "is not an IPv6 address");
	host.name_len = (uint8_t)address_print(&host.address, host.name);
	*ret_host = host;
	return true;
}

bool host_read(struct str text, bool in_brackets, struct host *ret_host, const char **ret_why)
{
	struct host host = {.kind = HOST_ADDRESS};
	if (text.len == 0)
		return refuse(ret_why, "is empty");
	if (in_brackets && is_bracketed(text))
		return read_ipv6((struct str){text.ptr + 1, text.len - 2}, ret_host, ret_why);
	if (has_byte(text, ':'))
		return in_brackets ? refuse(ret_why, "has a ':', but is not in brackets")
				   : read_ipv6(text, ret_host, ret_why);
	if (!address_parse(text, &host.address))
		return read_name(text, ret_host, ret_why);
	host.name_len = (uint8_t)address_print(&host.address, host.name);
	*ret_host = host;
	return true;
}

/* ---- ports ----------------------------------------------------------------------------------------------------- */

static bool read_port(struct str text, uint16_t *ret_port)
{
	uint64_t port;
	if (text.len == 0 || text.ptr[0] == '0' || str_u64(text, PORT_MAX, &port, NULL) != BERM_OK)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

/* Up to the colon of the port, or all of it. */
static struct str host_part(struct str text)
{
	const char *from = text.ptr[0] == '[' ? memchr(text.ptr, ']', text.len) : text.ptr;
	if (from == NULL)
		return text;
	const char *colon = memchr(from, ':', text.len - (size_t)(from - text.ptr));
	return colon == NULL ? text : (struct str){text.ptr, (size_t)(colon - text.ptr)};
}

static const char *port_fault(struct str digits, uint16_t *ret_port)
{
	if (read_port(digits, ret_port))
		return NULL;
	return has_byte(digits, ':') ? "has a ':', but is not in brackets" : "has no port of 1 to 65535 behind ':'";
}

bool host_read_port(struct str text, uint16_t default_port, struct host *ret_host, uint16_t *ret_port,
		    const char **ret_why)
{
	if (text.len == 0)
		return refuse(ret_why, "is empty");
	struct str name = host_part(text);
	uint16_t port = default_port;
	const char *fault = NULL;
	if (name.len < text.len)
		fault = port_fault((struct str){text.ptr + name.len + 1, text.len - name.len - 1}, &port);
	else if (port == 0)
		fault = "has no port";
	if (fault != NULL)
		return refuse(ret_why, fault);
	if (!host_read(name, true, ret_host, ret_why))
		return false;
	*ret_port = port;
	return true;
}

bool host_equal(const struct host *a, const struct host *b)
{
	return a->kind == b->kind && a->kind != HOST_NONE && str_eq(host_text(a), host_text(b));
}

struct str host_text(const struct host *host)
{
	return (struct str){host->name, host->name_len};
}
