#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/registry_files.h"

enum { PORT_HTTPS = 443, PORT_HTTP = 80 };

/* The parts of an address; all borrowed. */
struct address {
	struct str scheme; /* "https" */
	struct str host;   /* with its brackets, if it is IPv6 */
	struct str rest;   /* path and query, or empty */
	uint64_t port;
};

static bool take_scheme(struct str *url, struct address *ret)
{
	static const char *const prefixes[] = {"sparse+", "registry+", "git+", "mirror+", "tor+"};
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(*url, str_from(prefixes[i])))
			*url = str_skip(*url, strlen(prefixes[i]));
	size_t colon = str_find(*url, ':');
	struct str scheme = {url->ptr, colon};
	bool https = str_eq_nocase(scheme, STR("https"));
	if ((!https && !str_eq_nocase(scheme, STR("http"))) || !str_starts(str_skip(*url, colon), STR("://")))
		return false;
	*url = str_skip(*url, colon + 3);
	ret->scheme = https ? STR("https") : STR("http");
	ret->port = https ? PORT_HTTPS : PORT_HTTP;
	return true;
}

static bool is_host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_';
}

static bool is_name(struct str host)
{
	bool dot = true; /* no empty label */
	for (size_t i = 0; i < host.len; i++) {
		if (!is_host_byte(host.ptr[i]) || (dot && host.ptr[i] == '.'))
			return false;
		dot = host.ptr[i] == '.';
	}
	return host.len > 0 && host.len < 254 && !dot;
}

static bool is_ipv6(struct str host)
{
	if (host.len < 4 || host.len > 41 || host.ptr[0] != '[' || host.ptr[host.len - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < host.len; i++)
		if (strchr("0123456789abcdefABCDEF:.", host.ptr[i]) == NULL || host.ptr[i] == '\0')
			return false;
	return true;
}

static bool take_port(struct str text, uint64_t *port)
{
	return text.len == 0 || (text.ptr[0] == ':' && text.len > 1 &&
				 str_u64(str_skip(text, 1), UINT16_MAX, port, NULL) == BERM_OK && *port > 0);
}

static bool has_control(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f || text.ptr[i] == '\\')
			return true;
	return false;
}

static bool address_parse(struct str url, struct address *ret)
{
	if (has_control(url) || !take_scheme(&url, ret))
		return false;
	size_t end = 0;
	while (end < url.len && strchr("/?#", url.ptr[end]) == NULL)
		end++;
	struct str place = {url.ptr, end};
	ret->rest = str_skip(url, end);
	for (size_t at = str_find(place, '@'); at < place.len; at = str_find(place, '@'))
		place = str_skip(place, at + 1);
	bool bracket = place.len > 0 && place.ptr[0] == '[';
	size_t host_end = bracket ? str_find(place, ']') + 1 : str_find(place, ':');
	if (host_end > place.len)
		return false;
	ret->host = (struct str){place.ptr, host_end};
	return (bracket ? is_ipv6(ret->host) : is_name(ret->host)) && take_port(str_skip(place, host_end), &ret->port);
}

static void put_lower(char *ret, struct str host)
{
	for (size_t i = 0; i < host.len; i++)
		ret[i] = (char)(host.ptr[i] >= 'A' && host.ptr[i] <= 'Z' ? host.ptr[i] + ('a' - 'A') : host.ptr[i]);
	ret[host.len] = '\0';
}

bool registry_url_host(struct str url, char ret_host[static REGISTRY_HOST_MAX])
{
	struct address address = {0};
	if (!address_parse(url, &address))
		return false;
	put_lower(ret_host, address.host);
	if (address.port != PORT_HTTPS)
		(void)snprintf(ret_host + address.host.len, REGISTRY_HOST_MAX - address.host.len, ":%u",
			       (unsigned)address.port);
	return true;
}

bool registry_url_plain(struct str url, char ret_url[static REGISTRY_URL_MAX])
{
	struct address address = {0};
	char host[REGISTRY_HOST_MAX], port[8] = "";
	if (!address_parse(url, &address))
		return false;
	put_lower(host, address.host);
	if (address.port != (address.scheme.len == 5 ? PORT_HTTPS : PORT_HTTP))
		(void)snprintf(port, sizeof port, ":%u", (unsigned)address.port);
	int len = snprintf(ret_url, REGISTRY_URL_MAX, "%s://%s%s%.*s", address.scheme.ptr, host, port,
			   address.rest.len < REGISTRY_URL_MAX ? (int)address.rest.len : REGISTRY_URL_MAX,
			   address.rest.ptr);
	return len > 0 && len < REGISTRY_URL_MAX;
}
