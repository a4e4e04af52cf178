// Faults to try the conformance suite with (docs/seeded-faults.md): each is a mistake that a server could have. In the
// programs that are shipped none of them exists, seeded() is false at compile time. A build with
// -DPOSTKEEP_SEEDED_FAULTS=ON has the one that the environment variable POSTKEEP_FAULT names.
#pragma once

// name, the clause that it breaks (of conformance/requirements; for LMTP the RFC and section, as conformance/lmtp has
// them), what goes wrong
// clang-format off
#define POSTKEEP_SEEDED_FAULT_LIST(FAULT) \
  FAULT(spaces_run_together, "9051-2.2.2-2", "Several spaces are taken for one") \
  FAULT(validity_changes, "9051-2.3.1.1-9", "SELECT tells another UIDVALIDITY each time") \
  FAULT(uid_next_of_last, "9051-2.3.1.1-6", "UIDNEXT is one more than the last UID that is there, so an EXPUNGE changes it") \
  FAULT(size_off_by_one, "9051-2.3.4-1", "RFC822.SIZE is one octet too many") \
  FAULT(bye_missing, "9051-3.4-1", "LOGOUT has no untagged BYE") \
  FAULT(literal_with_plus, "9051-4.3-2", "The server's literals are announced with a plus sign") \
  FAULT(nul_in_literal, "9051-4.3.1-3", "BODY[] has the NULs of the message") \
  FAULT(exists_forgotten, "9051-5.2-1", "New messages are told in IDLE only") \
  FAULT(flags_forgotten, "9051-5.2-2", "Flags that others changed are not told") \
  FAULT(capability_twice, "9051-6.1.1-2", "CAPABILITY is answered by two responses") \
  FAULT(unknown_enable_is_bad, "9051-6.3.1-1", "ENABLE of an unknown name is BAD") \
  FAULT(enabled_only_if_any, "9051-6.3.1-4", "ENABLE that turned nothing on has no ENABLED") \
  FAULT(enabled_again, "9051-6.3.1-7", "ENABLED names what was on before, too") \
  FAULT(enable_hides_rev1, "9051-6.3.1-8", "ENABLE IMAP4rev2 takes IMAP4rev1 out of the capabilities") \
  FAULT(select_without_list, "9051-6.3.2-1", "SELECT has no LIST response") \
  FAULT(uid_next_missing, "9051-6.3.2-2", "SELECT does not tell UIDNEXT") \
  FAULT(select_lists_inbox, "9051-6.3.2-4", "The LIST response of SELECT always says INBOX") \
  FAULT(closed_missing, "9051-6.3.2-7", "SELECT leaves the mailbox before it without CLOSED") \
  FAULT(examine_is_read_write, "9051-6.3.3-3", "EXAMINE ends in READ-WRITE") \
  FAULT(old_name_missing, "9051-6.3.4-2", "A name that was normalised is not told by OLDNAME") \
  FAULT(separator_kept, "9051-6.3.4-4", "CREATE takes a separator at the end for a part of the name") \
  FAULT(delete_unsubscribes, "9051-6.3.7-1", "DELETE takes the name out of the subscriptions") \
  FAULT(percent_is_star, "9051-6.3.9-2", "In LIST \"%\" matches the separator") \
  FAULT(subscribed_missing, "9051-6.3.9.1-3", "LIST (SUBSCRIBED) does not say \\Subscribed") \
  FAULT(no_status_in_list, "9051-6.3.9.2-4", "LIST RETURN (STATUS) has no STATUS responses") \
  FAULT(children_missing, "9051-6.3.9.5-1", "LIST RETURN (CHILDREN) says nothing of children") \
  FAULT(child_info_always, "9051-6.3.9.6-1", "CHILDINFO comes without RECURSIVEMATCH") \
  FAULT(status_size_zero, "9051-6.3.11-5", "STATUS SIZE is 0") \
  FAULT(append_without_flags, "9051-6.3.12-3", "APPEND forgets the flags") \
  FAULT(append_without_date, "9051-6.3.12-4", "APPEND forgets the date") \
  FAULT(append_in_part, "9051-6.3.12-5", "An APPEND that is refused at its second message keeps the first") \
  FAULT(append_no_try_create, "9051-6.3.12-8", "APPEND to no mailbox has no TRYCREATE") \
  FAULT(min_without_match, "9051-6.4.4-3", "ESEARCH has MIN 0 where nothing matched") \
  FAULT(no_count_of_zero, "9051-6.4.4-10", "ESEARCH leaves COUNT out where nothing matched") \
  FAULT(bad_charset_is_bad, "9051-6.4.4-16", "An unknown charset is BAD") \
  FAULT(bad_charset_no_code, "9051-6.4.4-17", "An unknown charset is NO without BADCHARSET") \
  FAULT(search_always_saves, "9051-6.4.4.1-1", "SEARCH without SAVE sets the saved result") \
  FAULT(seen_not_set, "9051-6.4.5-2", "FETCH BODY[] does not set \\Seen") \
  FAULT(silent_is_not, "9051-6.4.6-1", "STORE .SILENT tells the flags") \
  FAULT(silent_hides_others, "9051-6.4.6-2", "STORE .SILENT hides what another session did to the flags") \
  FAULT(copy_no_try_create, "9051-6.4.7-4", "COPY to no mailbox has no TRYCREATE") \
  FAULT(move_copies, "9051-6.4.8-6", "MOVE leaves the messages where they were") \
  FAULT(copy_uid_too_late, "9051-6.4.8-10", "COPYUID of a MOVE comes in the tagged OK, behind the EXPUNGEs") \
  FAULT(no_uid_indicator, "9051-6.4.9-1", "ESEARCH of UID SEARCH has no UID") \
  FAULT(uid_fetch_without_uid, "9051-6.4.9-2", "UID FETCH tells the UID only if asked for") \
  FAULT(append_uid_range, "9051-7.1-5", "APPENDUID of one message is a range") \
  FAULT(esearch_in_rev1, "9051-7.2.2-6", "SEARCH in IMAP4rev1 is answered by ESEARCH") \
  FAULT(ranges_have_gaps, "9051-7.3.4-6", "ALL is one range from the lowest to the highest") \
  FAULT(expunge_numbers_rise, "9051-7-4", "EXPUNGE numbers are those from before the first of them") \
  FAULT(expunge_in_fetch, "9051-7.5.1-1", "EXPUNGE comes in answer to FETCH, STORE and SEARCH") \
  FAULT(always_literal8, "9051-7.5.2-1", "BINARY is always a literal8") \
  FAULT(unknown_cte_is_nil, "9051-7.5.2-3", "BINARY of an unknown encoding is OK and NIL") \
  FAULT(binary_size_off, "9051-7.5.2-4", "BINARY.SIZE is one octet too many") \
  FAULT(origin_always, "9051-7.5.2-7", "BODY[] says <0> where nobody asked for a part") \
  FAULT(change_without_uid, "9051-7.5.2-17", "FETCH responses that come unasked have no UID") \
  FAULT(capitals_only, "9051-9-3", "Names of commands are known in capitals only") \
  FAULT(body_is_structure, "9051-9-7", "BODY has the extension data of BODYSTRUCTURE") \
  FAULT(inbox_in_capitals, "9051-9-15", "INBOX in small letters is another mailbox") \
  FAULT(utf8_at_once, "9051-A-2", "Quoted strings are in UTF-8 before IMAP4rev2 is enabled") \
  FAULT(dots_not_stuffed, "1939-3-4", "POP3: Lines that begin with a dot are sent as they are") \
  FAULT(stat_counts_marked, "1939-5-2", "POP3: STAT counts messages that are marked as deleted") \
  FAULT(list_shows_marked, "1939-5-6", "POP3: LIST shows messages that are marked as deleted") \
  FAULT(list_size_off, "1939-5-7", "POP3: The size in LIST is one octet too many") \
  FAULT(dele_never_fails, "1939-5-10", "POP3: DELE of a message that is marked, or not there, is +OK") \
  FAULT(rset_keeps_marks, "1939-5-12", "POP3: RSET leaves the marks of deletion") \
  FAULT(quit_removes_nothing, "1939-6-1", "POP3: QUIT removes nothing") \
  FAULT(top_counts_empty_line, "1939-7-1", "POP3: TOP sends a line of the body too many") \
  FAULT(unique_id_of_size, "1939-7-8", "POP3: Messages of one size have one unique-id") \
  FAULT(password_to_blank, "1939-7-13", "POP3: A password ends at its first blank") \
  FAULT(auth_code_for_all, "3206-6-2", "POP3: Every refusal has the code AUTH") \
  FAULT(every_language, "6856-3-5", "POP3: LANG takes every language") \
  FAULT(one_reply_for_all, "2033 4.2", "LMTP: There is one reply for all recipients") \
  FAULT(data_for_nobody, "2033 4.2", "LMTP: DATA is taken when there are no valid recipients") \
  FAULT(lhlo_keeps_transaction, "5321 4.1.1.1", "LMTP: LHLO leaves a transaction as it was") \
  FAULT(bare_lf_ends_line, "5321 4.1.1.4", "LMTP: LF . CRLF ends the message") \
  FAULT(rset_keeps_transaction, "5321 4.1.1.5", "LMTP: RSET leaves a transaction as it was") \
  FAULT(no_return_path, "5321 4.4", "LMTP: The message gets no Return-Path") \
  FAULT(dots_stay, "5321 4.5.2", "LMTP: Stuffed dots stay in the message") \
  FAULT(size_not_looked_at, "1870 6.1", "LMTP: A SIZE above the limit is taken") \
  FAULT(utf8_unannounced, "6531 3.5", "LMTP: Addresses in UTF-8 are taken without SMTPUTF8") \
  FAULT(refused_chunk_is_heard, "3030 2", "LMTP: The octets of a refused chunk are taken for commands") \
  FAULT(tls_forgets_nothing, "3207 4.2", "LMTP: What was said before TLS still holds")
// clang-format on

namespace postkeep {

enum class Fault {
#define POSTKEEP_FAULT_NAME(name, clause, text) name,
  POSTKEEP_SEEDED_FAULT_LIST(POSTKEEP_FAULT_NAME)
#undef POSTKEEP_FAULT_NAME
};

#ifdef POSTKEEP_SEEDED_FAULTS
bool seeded(Fault fault);
#else
constexpr bool seeded(Fault) { return false; }
#endif

}  // namespace postkeep
