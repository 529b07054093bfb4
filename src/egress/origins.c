#include "egress/origins.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/own.h"
#include "berm/berm.h"

enum { SLOTS = 4096, PACKETS_A_TURN = 256 };

struct record {
	struct record *next;	      /* of the slot */
	struct record *newer, *older; /* of all of them */
	struct origin_key key;
	struct origin origin;
	uint64_t due_ms;
};

struct origins {
	struct egress_loop *loop;
	struct loop_source source;
	int fd;
	bool ended;
	uint32_t limit_ms;
	size_t count;
	struct record *oldest, *newest;
	struct record *records[SLOTS];
	struct origin_wait *waiting[SLOTS];
	uint64_t seed[2];
};

/* ---- slots --------------------------------------------------------------------------------------------------------- */

/* Programs inside choose their addresses and ports: the slots are not theirs to choose. */
static size_t slot_of(const struct origins *origins, const struct origin_key *key)
{
	uint64_t parts[2];
	memcpy(parts, key->address.bytes, sizeof(parts));
	uint64_t hash = origins->seed[0] ^ key->port ^ (uint64_t)key->address.family << 32;
	for (size_t i = 0; i < 2; i++) {
		hash = (hash ^ parts[i]) * (origins->seed[1] | 1U);
		hash ^= hash >> 29;
	}
	return hash * 0x9e3779b97f4a7c15U >> 52;
}

static bool same_key(const struct origin_key *a, const struct origin_key *b)
{
	return a->port == b->port && address_equal(&a->address, &b->address);
}

static struct record **find_record(struct origins *origins, const struct origin_key *key)
{
	struct record **place = &origins->records[slot_of(origins, key)];
	while (*place != NULL && !same_key(&(*place)->key, key))
		place = &(*place)->next;
	return place;
}

static struct origin_wait **find_waiting(struct origins *origins, const struct origin_key *key)
{
	struct origin_wait **place = &origins->waiting[slot_of(origins, key)];
	while (*place != NULL && !same_key(&(*place)->key, key))
		place = &(*place)->next;
	return place;
}

static void drop_record(struct origins *origins, struct record **place)
{
	struct record *record = *place;
	*place = record->next;
	if (record->newer != NULL)
		record->newer->older = record->older;
	else
		origins->newest = record->older;
	if (record->older != NULL)
		record->older->newer = record->newer;
	else
		origins->oldest = record->newer;
	origins->count--;
	free(record);
}

static void drop_stale(struct origins *origins)
{
	while (origins->oldest != NULL &&
	       (origins->count >= ORIGINS_MAX || origins->oldest->due_ms <= origins->loop->now_ms))
		drop_record(origins, find_record(origins, &origins->oldest->key));
}

/* ---- records ------------------------------------------------------------------------------------------------------- */

static bool read_address(const struct berm_origin *packet, const uint8_t bytes[16], struct net_address *ret)
{
	return address_from_bytes((struct span){bytes, packet->family == 4 ? 4 : 16}, ret);
}

/* False: it is none of ours, and there is no connection for it then. */
static bool read_record(const struct berm_origin *packet, size_t len, struct origin_key *ret_key, struct origin *ret)
{
	if (len != sizeof(*packet) || packet->size != sizeof(*packet) || packet->protocol != IPPROTO_TCP ||
	    (packet->family != 4 && packet->family != 6) || memchr(packet->exe, '\0', sizeof(packet->exe)) == NULL)
		return false;
	*ret_key = (struct origin_key){.port = packet->source_port};
	*ret = (struct origin){.port = packet->destination_port};
	ret->task = (struct door_task){.pid = packet->pid, .exe_dev = packet->exe_dev, .exe_ino = packet->exe_ino};
	_Static_assert(sizeof(ret->task.exe) == sizeof(packet->exe), "a path fits");
	memcpy(ret->task.exe, packet->exe, strlen(packet->exe));
	return read_address(packet, packet->source, &ret_key->address) &&
	       read_address(packet, packet->destination, &ret->destination);
}

/* An earlier record of the same client is of a connection that nobody came with: it must not serve this one. */
static void keep_record(struct origins *origins, const struct origin_key *key, const struct origin *origin)
{
	struct record **place = find_record(origins, key);
	if (*place != NULL)
		drop_record(origins, place);
	drop_stale(origins);
	struct record *record = malloc(sizeof(*record));
	if (record == NULL)
		return; /* its connection is closed when the time is over */
	place = &origins->records[slot_of(origins, key)];
	*record = (struct record){.next = *place, .older = origins->newest, .key = *key, .origin = *origin};
	record->due_ms = origins->loop->now_ms + origins->limit_ms;
	*place = record;
	if (origins->newest != NULL)
		origins->newest->newer = record;
	else
		origins->oldest = record;
	origins->newest = record;
	origins->count++;
}

static void finish_wait(struct origin_wait *wait, const struct origin *origin)
{
	origin_done done = wait->done;
	origins_cancel(wait);
	done(wait, origin);
}

static void take_packet(struct origins *origins, const struct berm_origin *packet, size_t len)
{
	struct origin_key key;
	struct origin origin;
	if (!read_record(packet, len, &key, &origin))
		return;
	struct origin_wait *wait = *find_waiting(origins, &key);
	if (wait != NULL)
		finish_wait(wait, &origin);
	else
		keep_record(origins, &key, &origin);
}

static void packets_ready(struct loop_source *source, uint32_t events)
{
	struct origins *origins = (struct origins *)(void *)((char *)source - offsetof(struct origins, source));
	(void)events;
	for (int i = 0; i < PACKETS_A_TURN; i++) {
		struct berm_origin packet;
		ssize_t len = recv(origins->fd, &packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (len <= 0) {
			origins->ended = true;
			loop_remove(source);
			return;
		}
		take_packet(origins, &packet, (size_t)len);
	}
}

/* ---- waiting ------------------------------------------------------------------------------------------------------- */

static void wait_due(struct loop_source *source, uint32_t events)
{
	struct origin_wait *wait = (struct origin_wait *)(void *)source; /* its first member */
	(void)events;
	finish_wait(wait, NULL);
}

static void unlink_wait(struct origin_wait *wait)
{
	struct origin_wait **place = &wait->origins->waiting[slot_of(wait->origins, &wait->key)];
	while (*place != NULL && *place != wait)
		place = &(*place)->next;
	if (*place != NULL)
		*place = wait->next;
	wait->next = NULL;
}

void origins_cancel(struct origin_wait *wait)
{
	if (wait->origins == NULL)
		return;
	unlink_wait(wait);
	loop_remove(&wait->timer);
	wait->origins = NULL;
}

void origins_wait(struct origins *origins, const struct origin_key *key, struct origin_wait *wait, origin_done done)
{
	struct origin_wait *before = *find_waiting(origins, key);
	if (before != NULL) {
		unlink_wait(before);
		loop_deadline(&before->timer, 0);
	}
	struct origin_wait **place = &origins->waiting[slot_of(origins, key)];
	*wait = (struct origin_wait){.done = done, .origins = origins, .key = *key, .next = *place};
	*place = wait;
	loop_add_timer(origins->loop, &wait->timer, wait_due);
	loop_deadline(&wait->timer, origins->ended ? 0 : origins->limit_ms);
}

bool origins_find(struct origins *origins, const struct origin_key *key, struct origin *ret)
{
	struct record **place = find_record(origins, key);
	if (*place == NULL)
		return false;
	bool fresh = (*place)->due_ms > origins->loop->now_ms;
	if (fresh)
		*ret = (*place)->origin;
	drop_record(origins, place);
	return fresh;
}

bool origins_ended(const struct origins *origins)
{
	return origins->ended;
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

enum berm_code origins_new(struct egress_loop *loop, int fd, uint32_t limit_ms, struct origins **ret_origins,
			   struct berm_err *err)
{
	auto_fd int owned = fd;
	uint64_t seed[2];
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return err_sys(err, "draw a number");
	auto_free struct origins *origins = calloc(1, sizeof(*origins));
	if (origins == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	memcpy(origins->seed, seed, sizeof(seed));
	origins->loop = loop;
	origins->limit_ms = limit_ms;
	TRY(loop_add(loop, &origins->source, fd, EPOLLIN, packets_ready, err));
	origins->fd = take_fd(&owned);
	*ret_origins = take(origins);
	return BERM_OK;
}

void origins_free(struct origins *origins)
{
	if (origins == NULL)
		return;
	loop_remove(&origins->source);
	for (size_t i = 0; i < SLOTS; i++) {
		while (origins->waiting[i] != NULL)
			origins_cancel(origins->waiting[i]);
	}
	while (origins->oldest != NULL)
		drop_record(origins, find_record(origins, &origins->oldest->key));
	own_close(&origins->fd);
	free(origins);
}
