#include "policy/floor.h"

#include <limits.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "berm/berm.h"
#include "policy/input.h"

/* A right to change is a right to remove as well. */
#define CHANGE (BERM_WRITE | BERM_DELETE)
#define ALL (BERM_READ | BERM_EXEC | CHANGE)

#define KERNEL "kernel interfaces"
#define FIRMWARE "firmware and boot"
#define MEMORY "memory of other processes"
#define DEVICE "raw devices"
#define BERM "berm's own"

/* The order is that of "berm policy floor"; where two rows hold for a path, the first one is named. */
const struct floor_row floor_rows[] = {
	{KERNEL, "/proc/sys/kernel/core_pattern", ALL, FLOOR_LINUX, true,
	 "names a program that the kernel starts as root"},
	{KERNEL, "/proc/sys/kernel/modprobe", ALL, FLOOR_LINUX, true, "names a program that the kernel starts as root"},
	{KERNEL, "/proc/sys", ALL, FLOOR_LINUX, true, "settings of the whole machine"},
	{KERNEL, "/proc/sysrq-trigger", ALL, FLOOR_LINUX, true, "reboots, kills, dumps memory"},
	{KERNEL, "/proc/kallsyms", ALL, FLOOR_LINUX, true, "where the kernel's code lies, for attacks on it"},
	{KERNEL, "/proc/modules", ALL, FLOOR_LINUX, true, "where the kernel's modules lie"},
	{KERNEL, "/proc/kmsg", ALL, FLOOR_LINUX, true, "takes the kernel's messages away"},
	{KERNEL, "/dev/kmsg", ALL, FLOOR_LINUX, false, "the kernel's messages; what is written there looks like one"},
	{KERNEL, "/sys/kernel/debug", ALL, FLOOR_LINUX, false, "debugfs: the inside of every driver"},
	{KERNEL, "/sys/kernel/tracing", ALL, FLOOR_LINUX, false, "tracefs: watches every process"},
	{KERNEL, "/sys/kernel/security", ALL, FLOOR_LINUX, false, "securityfs: AppArmor, IMA, Landlock's neighbours"},
	{KERNEL, "/sys/fs/bpf", ALL, FLOOR_LINUX, false, "programs that run in the kernel, pinned by others"},
	{KERNEL, "/sys/module/*/sections", ALL, FLOOR_LINUX, false, "where the kernel's modules lie"},
	{KERNEL, "/sys", CHANGE, FLOOR_LINUX, false, "settings of the kernel, its devices and control groups"},
	{KERNEL, "/dev/userfaultfd", ALL, FLOOR_LINUX, false,
	 "stops the kernel in the middle of a copy, for attacks on it"},
	{KERNEL, "/dev/autofs", ALL, FLOOR_LINUX, false, "answers for mounts of others"},
	{KERNEL, "/System/Library/Extensions", CHANGE, FLOOR_MACOS, false, "code that runs in the kernel"},
	{KERNEL, "/Library/Extensions", CHANGE, FLOOR_MACOS, false, "code that runs in the kernel"},
	{KERNEL, "/Library/SystemExtensions", CHANGE, FLOOR_MACOS, false, "code that filters for the whole system"},
	{KERNEL, "/dev/auditpipe", ALL, FLOOR_MACOS, false, "what every process does"},
	{KERNEL, "/dev/dtrace*", ALL, FLOOR_MACOS, false, "watches every process"},
	{KERNEL, "/dev/pf*", ALL, FLOOR_MACOS, false, "the packet filter"},
	{KERNEL, "/dev/bpf*", ALL, FLOOR_MACOS, false, "every packet of the machine"},

	{FIRMWARE, "/sys/firmware", ALL, FLOOR_LINUX, false,
	 "ACPI tables and EFI variables, which can keep a machine from booting"},
	{FIRMWARE, "/sys/fs/pstore", ALL, FLOOR_LINUX, false, "what a crashed kernel left"},
	{FIRMWARE, "/boot", CHANGE, FLOOR_LINUX, false, "what the machine starts"},
	{FIRMWARE, "/efi", CHANGE, FLOOR_LINUX, false, "what the machine starts"},
	{FIRMWARE, "/dev/nvram", ALL, FLOOR_LINUX, false, "settings of the firmware"},
	{FIRMWARE, "/dev/mtd*", ALL, FLOOR_LINUX, false, "the firmware's flash memory"},
	{FIRMWARE, "/dev/{ipmi*,mei*}", ALL, FLOOR_LINUX, false, "the machine's management controller"},
	{FIRMWARE, "/dev/{tpm*,tpmrm*}", ALL, FLOOR_LINUX, false, "keys of the machine"},
	{FIRMWARE, "/dev/{watchdog*,rtc*,hpet}", ALL, FLOOR_LINUX, false, "resets the machine, sets its clock"},
	{FIRMWARE, "/dev/cpu", ALL, FLOOR_LINUX, false, "model-specific registers, microcode"},
	{FIRMWARE, "/System/Volumes/Preboot", CHANGE, FLOOR_MACOS, false, "what the machine starts"},
	{FIRMWARE, "/System/Volumes/iSCPreboot", CHANGE, FLOOR_MACOS, false, "what the machine starts"},

	{MEMORY, "/dev/{mem,kmem,port}", ALL, FLOOR_ANY, false, "the machine's memory and ports"},
	{MEMORY, "/dev/snapshot", ALL, FLOOR_LINUX, false, "the machine's memory, for hibernation"},
	{MEMORY, "/proc/kcore", ALL, FLOOR_LINUX, true, "the machine's memory"},
	{MEMORY, "/proc/vmcore", ALL, FLOOR_LINUX, true, "the memory of a crashed kernel"},
	{MEMORY, "/proc/*/{mem,environ,auxv,maps,smaps*,numa_maps,pagemap,stack,syscall,clear_refs}", ALL, FLOOR_LINUX,
	 true, "memory and environment of other processes"},
	{MEMORY, "/proc/*/{root,cwd,exe,fd,fdinfo,map_files,ns}", ALL, FLOOR_LINUX, true,
	 "files that other processes hold or see, around every rule"},
	{MEMORY, "/proc", ALL, FLOOR_LINUX, true, "the machine's processes; a sandbox has a /proc of its own"},
	{MEMORY, "/{swapfile,swap.img,swap}", ALL, FLOOR_LINUX, false, "memory that was swapped out"},
	{MEMORY, "/private/var/vm", ALL, FLOOR_MACOS, false, "memory that was swapped out"},
	{MEMORY, "/cores", ALL, FLOOR_MACOS, false, "memory of processes that crashed"},

	{DEVICE,
	 "/dev/"
	 "{sd*,hd*,fd[0-9]*,vd*,xvd*,nvme*,mmcblk*,sr[0-9]*,scd[0-9]*,nbd*,rbd*,bcache*,zram*,ram[0-9]*,pmem*,dasd*,"
	 "ublk*}",
	 ALL, FLOOR_LINUX, false, "whole disks, past every file's permissions"},
	{DEVICE, "/dev/{loop*,dm-*,md[0-9]*,md,mapper,disk,block,zvol,btrfs-control,device-mapper}", ALL, FLOOR_LINUX,
	 false, "whole disks, past every file's permissions"},
	{DEVICE, "/dev/{sg[0-9]*,bsg,raw,st[0-9]*,nst[0-9]*,sch[0-9]*}", ALL, FLOOR_LINUX, false,
	 "commands to drives, past every check"},
	{DEVICE, "/dev/{input,uinput,uhid,hidraw*,mouse*,kbd}", ALL, FLOOR_LINUX, false,
	 "every key pressed; presses keys itself"},
	{DEVICE, "/dev/{vhost*,vfio,vsock,vdpa*,iommu,udmabuf}", ALL, FLOOR_LINUX, false,
	 "memory access and sockets of virtual machines"},
	{DEVICE, "/dev/{console,vcs*,tty[0-9]*}", ALL, FLOOR_LINUX, false,
	 "consoles of others: what they show, what is typed there"},
	{DEVICE, "/dev/{disk*,rdisk*}", ALL, FLOOR_MACOS, false, "whole disks, past every file's permissions"},
	{DEVICE, "/dev/console", ALL, FLOOR_MACOS, false, "the console of the machine"},

	{BERM, "$BERM_STATE", ALL, FLOOR_ANY, false, "consents, journals, undo copies of berm"},
	{BERM, "~/.local/state/berm", ALL, FLOOR_ANY, false, "consents, journals, undo copies of berm"},
	{BERM, "$BERM_RUNTIME", ALL, FLOOR_ANY, false, "sockets that control sandboxes"},
	{BERM, "/run/user/*/berm", ALL, FLOOR_LINUX, false, "sockets that control sandboxes"},
	{BERM, "/run/berm", ALL, FLOOR_LINUX, false, "sockets that control sandboxes"},
	{BERM, "$BERM_CONFIG", CHANGE, FLOOR_ANY, false, "policies of the user: who changes them frees the next run"},
	{BERM, "~/.config/berm", CHANGE, FLOOR_ANY, false, "policies of the user: who changes them frees the next run"},
	{BERM, "/etc/berm", CHANGE, FLOOR_ANY, false, "the system's ceiling of policies"},
	{BERM, "~/Library/Application Support/berm", ALL, FLOOR_MACOS, false, "state and policies of berm"},
};
const size_t floor_row_count = ARRAY_LEN(floor_rows);
const struct floor_row floor_mounts_row = {
	KERNEL, "", ALL, FLOOR_LINUX, false, "a file system of the kernel is mounted there, as in /proc, /sys or /dev"};

/* ---- patterns ---------------------------------------------------------------------------------------------------- */

enum { PATTERN_MAX = PATH_MAX };

struct floor_places floor_places_of(const struct policy_input *input)
{
	return (struct floor_places){.home = input->home,
				     .config = input->config_folder,
				     .state = input->state_folder,
				     .runtime = input->runtime_folder};
}

/* What a pattern may begin with. */
static const char *const place_words[] = {"~", "$BERM_CONFIG", "$BERM_STATE", "$BERM_RUNTIME"};

/* Takes the word off the front of *rest. *ret_place is NULL if there is no such place; false: it begins with none. */
static bool take_place(const char **rest, const struct floor_places *places, const char **ret_place)
{
	const char *const found[] = {places->home, places->config, places->state, places->runtime};
	for (size_t i = 0; i < ARRAY_LEN(place_words); i++) {
		size_t len = strlen(place_words[i]);
		if (strncmp(*rest, place_words[i], len) != 0 || ((*rest)[len] != '/' && (*rest)[len] != '\0'))
			continue;
		*ret_place = found[i];
		*rest += len;
		return true;
	}
	return false;
}

static bool put(char *text, size_t size, size_t *at, char byte)
{
	if (*at + 1 >= size)
		return false;
	text[(*at)++] = byte;
	text[*at] = '\0';
	return true;
}

/* A path is what it is: nothing in it is a wildcard. */
static bool put_place(const char *path, char *text, size_t size, size_t *at)
{
	for (; *path != '\0'; path++)
		if ((strchr("*?[]{}\\", *path) != NULL && !put(text, size, at, '\\')) || !put(text, size, at, *path))
			return false;
	return true;
}

bool floor_pattern(const struct floor_row *row, const struct floor_places *places, char *ret_pattern, size_t size)
{
	const char *rest = row->pattern, *place = NULL;
	size_t at = 0;
	if (take_place(&rest, places, &place) &&
	    (place == NULL || place[0] != '/' || !put_place(place, ret_pattern, size, &at)))
		return false;
	for (; *rest != '\0'; rest++)
		if (!put(ret_pattern, size, &at, *rest))
			return false;
	return at > 0;
}

/* ---- relations --------------------------------------------------------------------------------------------------- */

static void drop_glob(struct glob **glob)
{
	glob_free(*glob);
}

/* Does the pattern match the path, or a folder above it? */
static bool matches_above(const struct glob *glob, struct str path)
{
	while (!glob_match(glob, path, true)) {
		while (path.len > 0 && path.ptr[path.len - 1] != '/')
			path.len--;
		if (path.len <= 1)
			return false;
		path.len--;
	}
	return true;
}

enum floor_relation floor_relate(const struct floor_row *row, const struct floor_places *places, const char *path)
{
	char pattern[PATTERN_MAX];
	__attribute__((cleanup(drop_glob))) struct glob *glob = NULL;
	if (!floor_pattern(row, places, pattern, sizeof(pattern)))
		return FLOOR_APART;
	if (glob_new(GLOB_PATH, str_from(pattern), &glob, NULL) != BERM_OK || matches_above(glob, str_from(path)))
		return FLOOR_INSIDE;
	return glob_may_match_below(glob, str_from(path), true) ? FLOOR_AROUND : FLOOR_APART;
}

const struct floor_row *floor_find(const char *path, unsigned rights, const struct floor_places *places)
{
	for (size_t i = 0; i < floor_row_count; i++) {
		const struct floor_row *row = &floor_rows[i];
		if ((row->os & FLOOR_LINUX) != 0 && (row->rights & rights) != 0 &&
		    floor_relate(row, places, path) == FLOOR_INSIDE)
			return row;
	}
	return NULL;
}
