#include "sandbox/spec.h"

bool seccomp_spec_traps(const struct seccomp_spec *spec)
{
	const bool traps[] = {
		spec->trap_changes,    spec->trap_reads,  spec->trap_modes,   spec->trap_metadata,
		spec->trap_connect,    spec->trap_listen, spec->trap_signals, spec->trap_peers,
		spec->trap_dgram_pair, spec->trap_memfd,  spec->trap_exec,    spec->trap_access,
	};
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
		if (traps[i])
			return true;
	return false;
}
