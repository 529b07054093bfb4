/*
 * Messages of nf_tables, in one transaction: nft_begin, tables, chains and rules, nft_end; sent to NETLINK_NETFILTER it is
 * in force as a whole or not at all. A rule is its expressions in order: what is loaded goes to register 1, where it is
 * compared; a comparison that fails ends the rule. Numbers in network byte order, as nf_tables has them. No heap.
 */
#ifndef BERM_OS_NL_NFT_H
#define BERM_OS_NL_NFT_H

#include "os/nl.h"

enum { NFT_MATCH = 1, NFT_VALUE = 2 }; /* registers */

struct nft_chain {
	const char *table, *name, *type;
	uint32_t hook; /* NF_INET_ */
	int32_t priority;
};

void nft_begin(struct nl_out *out);
void nft_table(struct nl_out *out, const char *name); /* of the family inet */
void nft_chain(struct nl_out *out, const struct nft_chain *chain);
/* Asks for an answer if acknowledge: the last message that the caller waits for. What it returns goes to nft_rule_end. */
size_t nft_rule_begin(struct nl_out *out, const struct nft_chain *chain, bool acknowledge);
void nft_rule_end(struct nl_out *out, size_t rule);
void nft_end(struct nl_out *out);

/* ---- expressions ---- */
void nft_meta(struct nl_out *out, uint32_t key);				     /* NFT_META_ */
void nft_payload(struct nl_out *out, uint32_t base, uint32_t at, uint32_t size);     /* NFT_PAYLOAD_ */
void nft_compare(struct nl_out *out, uint32_t how, const void *value, size_t size);  /* NFT_CMP_ */
void nft_immediate(struct nl_out *out, uint32_t to, const void *value, size_t size); /* into a register */
/* Gives the packet to the transparent socket that listens on the address in NFT_MATCH and the port in NFT_VALUE. */
void nft_tproxy(struct nl_out *out, uint32_t family); /* NFPROTO_ */

#endif
