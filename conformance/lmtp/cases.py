"""What an LMTP server must do, a case a clause. Each case is a function that gets the run (suite.Run); what does not hold raises
Failed. The decorator has the RFC and section, and how strong the clause is: MUST, SHOULD, "says" for what
the RFC states without such a word, or "custom" for what no RFC says in so many words and MTAs count on."""
from peer import Failed, Skipped

CASES = []


def case(section, level):
    def add(function):
        CASES.append((section, level, function))
        return function
    return add


def is_code(answer, *wanted):
    if answer.code not in wanted:
        raise Failed(f"{' or '.join(map(str, wanted))} expected, {answer} came")
    return answer


def is_class(answer, *digits):
    if answer.code // 100 not in digits:
        raise Failed(f"{' or '.join(f'{digit}xx' for digit in digits)} expected, {answer} came")
    return answer


def are_codes(got, wanted):
    if got != wanted:
        raise Failed(f"codes {wanted} expected, {got} came")


def holds(fact, otherwise):
    if not fact:
        raise Failed(otherwise)


# --- RFC 2033: LMTP ---------------------------------------------------------------------------------------------------

@case("2033 4.1", "MUST")
def lhlo_is_answered_as_ehlo_with_the_extensions(run):
    answer = is_code(run.greeted().ask("LHLO client.example"), 250)
    holds(len(answer.lines) > 1, "no extension is named")


@case("2033 4.1", "MUST")
def helo_and_ehlo_are_not_answered_with_2xx(run):
    peer = run.greeted()
    is_class(peer.ask("HELO client.example"), 4, 5)
    is_class(peer.ask("EHLO client.example"), 4, 5)


@case("2033 4.1", "SHOULD")
def helo_and_ehlo_are_answered_with_500(run):
    peer = run.greeted()
    is_code(peer.ask("HELO client.example"), 500)
    is_code(peer.ask("EHLO client.example"), 500)


@case("2033 4.2", "MUST")
def data_without_a_recipient_is_503(run):
    is_code(run.ready().ask("MAIL FROM:<>", "DATA"), 503)


@case("2033 4.2", "MUST")
def data_with_refused_recipients_only_is_503(run):
    peer = run.ready()
    is_class(peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.unknown}>"), 5)
    is_code(peer.ask("DATA"), 503)


@case("2033 4.2", "says")
def data_gets_a_reply_for_each_recipient(run):
    peer = run.ready()
    peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>", f"RCPT TO:<{run.user2}>")
    run.data(peer, run.message())
    are_codes(peer.codes(2), [250, 250])
    is_code(peer.ask("NOOP"), 250)


@case("2033 4.2", "says")
def a_refused_recipient_gets_no_reply_after_data(run):
    peer = run.ready()
    peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>", f"RCPT TO:<{run.unknown}>", f"RCPT TO:<{run.user2}>")
    run.data(peer, run.message())
    are_codes(peer.codes(2), [250, 250])
    is_code(peer.ask("NOOP"), 250)


@case("2033 4.2", "MUST")
def a_recipient_named_twice_gets_two_replies(run):
    peer = run.ready()
    peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>")
    if peer.ask(f"RCPT TO:<{run.user}>").code != 250:
        raise Skipped("the second RCPT is refused")
    run.data(peer, run.message())
    are_codes(peer.codes(2), [250, 250])
    is_code(peer.ask("NOOP"), 250)


@case("2033 4.2", "MUST")
def what_was_answered_with_250_is_in_the_mailboxes(run):
    peer = run.ready()
    peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>", f"RCPT TO:<{run.user2}>")
    message = run.message()
    run.data(peer, message)
    are_codes(peer.codes(2), [250, 250])
    for user in (run.user, run.user2):
        run.holds_once(user, message)


@case("2033 5", "MUST")
def pipelining_and_enhancedstatuscodes_are_announced(run):
    for word in ("PIPELINING", "ENHANCEDSTATUSCODES"):
        holds(word in run.ready().extensions, f"{word} is not announced")


@case("2033 5", "SHOULD")
def eight_bit_mime_is_announced(run):
    holds("8BITMIME" in run.ready().extensions, "8BITMIME is not announced")


# --- RFC 5321: commands -----------------------------------------------------------------------------------------------

@case("5321 4.2", "MUST")
def the_greeting_is_220(run):
    is_code(run.greeted().greeting, 220)


@case("5321 2.4", "MUST")
def verbs_and_keywords_are_taken_in_any_case(run):
    peer = run.greeted()
    is_code(peer.ask("lhlo client.example"), 250)
    is_code(peer.ask("mail from:<>"), 250)
    is_code(peer.ask(f"rCpT tO:<{run.user}>"), 250)
    is_code(peer.ask("rset"), 250)


@case("5321 4.1.4", "MUST")
def commands_out_of_order_are_503(run):
    peer = run.ready()
    is_code(peer.ask(f"RCPT TO:<{run.user}>"), 503)
    is_code(peer.ask("DATA"), 503)
    is_code(peer.ask("MAIL FROM:<>"), 250)
    is_code(peer.ask("MAIL FROM:<>"), 503)


@case("5321 4.1.1.1", "MUST")
def lhlo_again_forgets_the_transaction(run):
    peer = run.ready()
    peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>")
    is_code(peer.ask("LHLO client.example"), 250)
    is_code(peer.ask("DATA"), 503)
    is_code(peer.ask("MAIL FROM:<>"), 250)


@case("5321 4.1.1.5", "MUST")
def rset_forgets_the_transaction_and_is_250_at_any_time(run):
    peer = run.greeted()
    is_code(peer.ask("RSET"), 250)
    is_code(peer.ask("LHLO client.example", "MAIL FROM:<>", f"RCPT TO:<{run.user}>", "RSET"), 250)
    is_code(peer.ask("DATA"), 503)
    is_code(peer.ask("MAIL FROM:<>"), 250)


@case("5321 4.1.1.9", "MUST")
def noop_does_nothing_and_takes_an_argument(run):
    peer = run.ready()
    peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>")
    is_code(peer.ask("NOOP"), 250)
    is_code(peer.ask("NOOP something"), 250)
    is_code(peer.ask("DATA"), 354)


@case("5321 4.1.1.10", "MUST")
def quit_is_221_and_the_end(run):
    peer = run.ready()
    is_code(peer.ask("QUIT"), 221)
    holds(peer.is_closed(), "the connection is open after QUIT")


@case("5321 4.1.1.10", "MUST")
def quit_in_a_transaction_delivers_nothing(run):
    peer = run.ready()
    peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>")
    is_code(peer.ask("QUIT"), 221)


@case("5321 4.2.4", "MUST")
def an_unknown_command_is_500_or_502_and_the_session_goes_on(run):
    peer = run.ready()
    is_code(peer.ask("BLURDYBLOOP"), 500, 502)
    is_code(peer.ask("NOOP"), 250)


@case("5321 3.5.3", "MUST")
def vrfy_is_answered_without_claiming_what_it_did_not_check(run):
    peer = run.ready()
    is_code(peer.ask("VRFY " + run.user.partition("@")[0]), 250, 252, 502)
    is_code(peer.ask("VRFY " + run.unknown.partition("@")[0]), 252, 502, 550)


@case("5321 4.1.1.2", "MUST")
def a_malformed_mail_is_501_or_500(run):
    peer = run.ready()
    for line in ("MAIL", "MAIL FROM:", "MAIL FROM:<", "MAIL FROM:<a@>", "MAIL TO:<a@example.org>"):
        answer = peer.ask(line)
        holds(answer.code in (500, 501, 553), f"{line!r} is answered with {answer}")
    is_code(peer.ask("MAIL FROM:<>"), 250)


@case("5321 4.1.1.3", "MUST")
def the_null_path_is_a_sender_and_no_recipient(run):
    peer = run.ready()
    is_code(peer.ask("MAIL FROM:<>"), 250)
    is_class(peer.ask("RCPT TO:<>"), 5)


@case("5321 4.1.1.11", "MUST")
def an_unknown_parameter_is_refused(run):
    peer = run.ready()
    is_code(peer.ask("MAIL FROM:<a@example.org> NOSUCHPARAMETER=1"), 501, 504, 555)
    peer.ask("RSET", "MAIL FROM:<>")
    is_code(peer.ask(f"RCPT TO:<{run.user}> NOSUCHPARAMETER=1"), 501, 504, 555)


@case("5321 3.3", "MUST")
def an_unknown_recipient_is_refused_for_good(run):
    is_code(run.ready().ask("MAIL FROM:<>", f"RCPT TO:<{run.unknown}>"), 550, 551, 553)


@case("5321 4.1.1.3", "SHOULD")
def a_source_route_is_taken_off(run):
    peer = run.ready()
    is_code(peer.ask("MAIL FROM:<>", f"RCPT TO:<@a.example,@b.example:{run.user}>"), 250)


@case("5321 4.1.2", "MUST")
def a_quoted_local_part_means_the_same_mailbox(run):
    local, _, domain = run.user.partition("@")
    quoted = f'"{local}"' + (f"@{domain}" if domain else "")
    is_code(run.ready().ask("MAIL FROM:<>", f"RCPT TO:<{quoted}>"), 250)


@case("5321 4.5.3.1.1", "MUST")
def a_local_part_of_64_octets_and_a_path_of_256_are_read(run):
    peer = run.ready()
    is_code(peer.ask(f"MAIL FROM:<{'a' * 64}@example.org>"), 250)
    peer.ask("RSET")
    is_code(peer.ask(f"MAIL FROM:<{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example>"), 250)


@case("5321 4.5.3.1.8", "MUST")
def a_hundred_recipients_are_taken(run):
    peer = run.ready()
    peer.ask("MAIL FROM:<>")
    peer.send(f"RCPT TO:<{run.user}>\r\n" * 100)
    are_codes(peer.codes(100), [250] * 100)


@case("5321 4.5.3.1.4", "MUST")
def a_line_that_is_far_too_long_is_refused_and_the_next_is_heard(run):
    peer = run.ready()
    is_class(peer.ask("NOOP " + "a" * 100_000), 2, 5)
    is_code(peer.ask("NOOP"), 250)


# --- RFC 5321: the message --------------------------------------------------------------------------------------------

@case("5321 4.5.2", "MUST")
def stuffed_dots_are_taken_off(run):
    message = run.message(".\r\n..\r\n.a\r\nb.\r\n")
    run.deliver(message)
    run.holds_once(run.user, message)


@case("5321 4.5.3.1.6", "MUST")
def lines_of_1000_octets_pass(run):
    message = run.message("x" * 998 + "\r\n" + "y" * 998 + "\r\n")
    run.deliver(message)
    run.holds_once(run.user, message)


@case("5321 4.4", "MUST")
def return_path_and_received_are_put_before_the_message(run):
    message = run.message()
    run.deliver(message, sender="sender@example.org")
    head = run.mail(run.user, message)[0].partition(b"\r\n\r\n")[0].lower()
    holds(head.count(b"return-path: <sender@example.org>") == 1, "no Return-Path with the sender")
    holds(b"received: " in head, "no Received")


@case("5321 4.1.1.4", "MUST")
def an_empty_message_is_taken(run):
    peer = run.ready()
    is_code(peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>", "DATA"), 354)
    is_class(peer.ask("."), 2, 5)
    is_code(peer.ask("NOOP"), 250)


def smuggled(run, end):
    """Whether a message with `end` in it stays one message."""
    peer = run.ready()
    is_code(peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>", "DATA"), 354)
    peer.send(run.message() + b"a" + end + b"RSET\r\nNOOP\r\nb\r\n.\r\n")
    is_class(peer.reply(), 2, 4, 5)
    peer.send("VRFY x\r\n")
    answer = peer.reply()
    holds(answer.code in (250, 252, 502, 550), f"the message ended at {end!r}: {answer}")
    holds(not peer.buffer, f"the message ended at {end!r}: {peer.buffer!r} came besides")


@case("5321 4.1.1.4", "MUST")
def lf_dot_lf_does_not_end_the_message(run):
    smuggled(run, b"\n.\n")


@case("5321 4.1.1.4", "MUST")
def lf_dot_crlf_does_not_end_the_message(run):
    smuggled(run, b"\n.\r\n")


@case("5321 4.1.1.4", "MUST")
def crlf_dot_lf_does_not_end_the_message(run):
    smuggled(run, b"\r\n.\n")


@case("5321 4.1.1.4", "MUST")
def cr_dot_cr_does_not_end_the_message(run):
    smuggled(run, b"\r.\r")


@case("5321 4.1.1.4", "MUST")
def crlf_dot_cr_does_not_end_the_message(run):
    smuggled(run, b"\r\n.\r")


@case("5321 4.1.1.4", "MUST")
def cr_dot_crlf_does_not_end_the_message(run):
    smuggled(run, b"\r.\r\n")


@case("5321 4.1.1.4", "MUST")
def crlf_nul_dot_crlf_does_not_end_the_message(run):
    smuggled(run, b"\r\n\0.\r\n")


@case("5321 4.1.1.4", "custom")
def the_end_is_found_wherever_it_is_cut(run):
    import time
    message = run.message() + b".\r\n"
    for cut in range(1, 6):
        peer = run.ready()
        is_code(peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>", "DATA"), 354)
        peer.send(message[:-cut])
        time.sleep(0.02)
        peer.send(message[-cut:])
        is_code(peer.reply(), 250)


@case("5321 4.5.3.2", "custom")
def a_second_message_in_one_session_is_taken(run):
    peer = run.ready()
    for _ in range(2):
        message = run.message()
        is_code(peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>"), 250)
        run.data(peer, message)
        is_code(peer.reply(), 250)
        run.holds_once(run.user, message)


# --- RFC 2034 and 2920 ------------------------------------------------------------------------------------------------

@case("2034 4", "MUST")
def all_replies_have_an_enhanced_code_of_their_class(run):
    peer = run.ready("ENHANCEDSTATUSCODES")
    before = len(peer.replies)
    peer.ask("NOOP", "RSET", "BLURDYBLOOP", f"RCPT TO:<{run.user}>", "MAIL FROM:<>", f"RCPT TO:<{run.unknown}>", "DATA",
             f"RCPT TO:<{run.user}>")
    run.data(peer, run.message())
    peer.reply()
    peer.ask("QUIT")
    for answer in peer.replies[before:]:
        if answer.code // 100 == 3:
            continue
        holds(answer.enhanced, f"{answer} has no enhanced code")
        holds(answer.enhanced[0] == str(answer.code)[0], f"{answer}: the classes differ")


@case("2920 3.2", "MUST")
def a_pipelined_transaction_is_answered_in_order(run):
    peer = run.ready("PIPELINING")
    peer.send(f"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<{run.user}>\r\nRCPT TO:<{run.unknown}>\r\nRCPT TO:<{run.user2}>\r\nDATA\r\n")
    got = peer.codes(6)
    are_codes(got[:3] + got[4:], [250, 250, 250, 250, 354])
    holds(got[3] // 100 == 5, f"{got[3]} for an unknown recipient")
    peer.send(run.message() + b".\r\nNOOP\r\nMAIL FROM:<>\r\n")
    are_codes(peer.codes(4), [250, 250, 250, 250])


@case("2920 3.2", "MUST")
def a_pipelined_transaction_without_valid_recipients_gets_no_354(run):
    peer = run.ready("PIPELINING")
    peer.send(f"MAIL FROM:<>\r\nRCPT TO:<{run.unknown}>\r\nDATA\r\nNOOP\r\n")
    got = peer.codes(4)
    are_codes([got[0], got[2], got[3]], [250, 503, 250])


# --- RFC 1870: SIZE ---------------------------------------------------------------------------------------------------

@case("1870 4", "MUST")
def size_has_a_number_or_nothing(run):
    value = run.ready("SIZE").extensions["SIZE"]
    holds(value == "" or value.isdigit(), f"SIZE {value}")


@case("1870 6.1", "MUST")
def a_size_above_the_limit_is_552_and_no_transaction(run):
    peer = run.ready("SIZE")
    limit = int(peer.extensions["SIZE"] or 0)
    if limit == 0:
        raise Skipped("no limit is told")
    is_code(peer.ask(f"MAIL FROM:<> SIZE={limit + 1}"), 552, 452)
    is_code(peer.ask(f"MAIL FROM:<> SIZE={limit}"), 250, 452)


@case("1870 3", "MUST")
def a_size_that_is_no_number_is_501(run):
    is_code(run.ready("SIZE").ask("MAIL FROM:<> SIZE=big"), 501)


# --- RFC 6152, RFC 6531 -----------------------------------------------------------------------------------------------

@case("6152 3", "MUST")
def octets_beyond_ascii_pass_with_8bitmime(run):
    run.ready("8BITMIME")
    message = run.message("gr\u00fc\u00dfe \u20ac\r\n")
    run.deliver(message, parameters=" BODY=8BITMIME")
    run.holds_once(run.user, message)


@case("6152 2", "MUST")
def body_is_7bit_or_8bitmime_and_nothing_else(run):
    peer = run.ready("8BITMIME")
    is_code(peer.ask("MAIL FROM:<> BODY=7BIT"), 250)
    is_code(peer.ask("RSET", "MAIL FROM:<> body=8bitmime"), 250)
    is_code(peer.ask("RSET", "MAIL FROM:<> BODY=9BIT"), 501, 504, 555)


@case("6531 3.4", "MUST")
def addresses_in_utf8_are_taken_with_smtputf8(run):
    peer = run.ready("SMTPUTF8")
    is_code(peer.ask("MAIL FROM:<s\u00f8ren@example.org> SMTPUTF8"), 250)
    is_code(peer.ask("RSET", "MAIL FROM:<> SMTPUTF8=yes"), 501, 555)


@case("6531 3.5", "MUST")
def addresses_in_utf8_are_refused_without_smtputf8(run):
    peer = run.ready("SMTPUTF8")
    is_class(peer.ask("MAIL FROM:<s\u00f8ren@example.org>"), 5)


# --- RFC 3030: CHUNKING and BINARYMIME --------------------------------------------------------------------------------

def begun(run, *extensions, parameters="", recipients=None):
    peer = run.ready("CHUNKING", *extensions)
    is_code(peer.ask(f"MAIL FROM:<>{parameters}"), 250)
    for recipient in recipients or (run.user,):
        peer.ask(f"RCPT TO:<{recipient}>")
    return peer


def bdat(octets, last=False):
    return b"BDAT %d%s\r\n" % (len(octets), b" LAST" if last else b"") + octets


@case("3030 2", "MUST")
def a_message_in_chunks_is_delivered_as_it_was_sent(run):
    message = run.message(".\r\n..a\r\nQUIT\r\n")
    peer = begun(run)
    for chunk in (message[:10], message[10:11], message[11:]):
        peer.send(bdat(chunk))
        is_code(peer.reply(), 250)
    peer.send(bdat(b"", last=True))
    is_code(peer.reply(), 250)
    run.holds_once(run.user, message)


@case("3030 2", "MUST")
def chunks_may_be_pipelined(run):
    message = run.message("one\r\ntwo\r\n")
    peer = run.ready("CHUNKING", "PIPELINING")
    peer.send(f"MAIL FROM:<>\r\nRCPT TO:<{run.user}>\r\n".encode() + bdat(message[:20]) + bdat(message[20:], True) + b"NOOP\r\n")
    are_codes(peer.codes(5), [250] * 5)
    run.holds_once(run.user, message)


@case("2033 4.3", "says")
def the_last_chunk_gets_a_reply_for_each_recipient(run):
    peer = begun(run, recipients=(run.user, run.unknown, run.user2))
    message = run.message()
    peer.send(bdat(message[:9]))
    is_code(peer.reply(), 250)
    peer.send(bdat(message[9:], True))
    are_codes(peer.codes(2), [250, 250])
    is_code(peer.ask("NOOP"), 250)


@case("2033 4.3", "says")
def the_last_chunk_gets_no_reply_without_recipients(run):
    peer = begun(run, recipients=(run.unknown,))
    peer.send(bdat(run.message(), True) + b"VRFY x\r\n")
    answer = peer.reply()
    holds(answer.code in (252, 250, 550, 502), f"{answer} came, nothing was expected")


@case("3030 2", "MUST")
def a_chunk_after_the_last_is_503(run):
    peer = begun(run)
    peer.send(bdat(run.message(), True))
    is_code(peer.reply(), 250)
    peer.send(bdat(b"more\r\n"))
    is_code(peer.reply(), 503)


@case("3030 2", "MUST")
def data_after_a_chunk_is_503(run):
    peer = begun(run)
    peer.send(bdat(b"Subject: x\r\n"))
    is_code(peer.reply(), 250)
    is_code(peer.ask("DATA"), 503)


@case("3030 2", "MUST")
def rset_drops_the_chunks(run):
    peer = begun(run)
    peer.send(bdat(b"X-Dropped: yes\r\n"))
    is_code(peer.reply(), 250)
    is_code(peer.ask("RSET"), 250)
    message = run.message()
    is_code(peer.ask("MAIL FROM:<>", f"RCPT TO:<{run.user}>"), 250)
    peer.send(bdat(message, True))
    is_code(peer.reply(), 250)
    run.holds_once(run.user, message)


@case("3030 2", "MUST")
def the_octets_of_a_refused_chunk_are_dropped(run):
    peer = run.ready("CHUNKING")
    peer.send(bdat(b"QUIT\r\nBLURDYBLOOP\r\n"))
    is_class(peer.reply(), 4, 5)
    is_code(peer.ask("NOOP"), 250)


@case("3030 2", "MUST")
def a_chunk_without_a_size_is_refused(run):
    peer = begun(run)
    is_code(peer.ask("BDAT"), 500, 501)


@case("3030 3", "MUST")
def binarymime_comes_with_chunking(run):
    holds("CHUNKING" in run.ready("BINARYMIME").extensions, "BINARYMIME without CHUNKING")


@case("3030 3", "MUST")
def data_for_binarymime_is_503(run):
    is_code(begun(run, "BINARYMIME", parameters=" BODY=BINARYMIME").ask("DATA"), 503)


@case("3030 3", "MUST")
def binarymime_keeps_all_octets(run):
    head = run.message().partition(b"\r\n\r\n")[0] + b"\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary"
    message = head + b"\r\n\r\n" + bytes(range(1, 256)) + b"\n\n\r\r\n.\r\n"  # NUL cannot come back by IMAP (RFC 9051 §4.3)
    peer = begun(run, "BINARYMIME", parameters=" BODY=BINARYMIME")
    peer.send(bdat(message, True))
    is_code(peer.reply(), 250)
    run.holds_once(run.user, message)


# --- RFC 3461: parameters of DSN --------------------------------------------------------------------------------------

def takes_dsn(run):
    """A session with a server that announces DSN, or takes its parameters all the same."""
    peer = run.ready()
    if "DSN" not in peer.extensions and peer.ask("MAIL FROM:<> RET=FULL").code // 100 == 5:
        raise Skipped("no DSN")
    peer.ask("RSET")
    return peer


@case("3461 5.1", "MUST")
def valid_parameters_change_no_reply(run):
    peer = takes_dsn(run)
    is_code(peer.ask("MAIL FROM:<a@example.org> RET=HDRS ENVID=QQ+2B1"), 250)
    is_code(peer.ask(f"RCPT TO:<{run.user}> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a+2Bb@example.org"), 250)
    is_code(peer.ask(f"RCPT TO:<{run.user2}> NOTIFY=NEVER"), 250)
    is_code(peer.ask(f"RCPT TO:<{run.unknown}> NOTIFY=NEVER"), 550, 551, 553)


@case("3461 5.1", "MUST")
def malformed_ret_and_envid_are_501(run):
    peer = takes_dsn(run)
    for parameter in ("RET=ALL", "RET=FULL RET=FULL", "ENVID=a+2", "ENVID=a ENVID=b"):
        is_code(peer.ask(f"MAIL FROM:<a@example.org> {parameter}"), 501)
        peer.ask("RSET")


@case("3461 5.1", "SHOULD")
def malformed_notify_and_orcpt_are_501(run):
    peer = takes_dsn(run)
    peer.ask("MAIL FROM:<a@example.org>")
    for parameter in ("NOTIFY=ALWAYS", "NOTIFY=NEVER,DELAY", "NOTIFY=DELAY NOTIFY=DELAY", "ORCPT=a@example.org", "ORCPT=rfc822;a+"):
        is_code(peer.ask(f"RCPT TO:<{run.user}> {parameter}"), 501)


# --- RFC 3207: STARTTLS -----------------------------------------------------------------------------------------------

@case("3207 4.2", "MUST")
def tls_begins_and_is_not_offered_again(run):
    peer = run.ready("STARTTLS")
    is_code(peer.ask("STARTTLS"), 220)
    peer.start_tls()
    answer = is_code(peer.ask("LHLO client.example"), 250)
    holds("STARTTLS" not in answer.text.upper(), "STARTTLS is offered under TLS")
    is_code(peer.ask("MAIL FROM:<>"), 250)


@case("3207 4.2", "MUST")
def what_was_said_before_tls_is_forgotten(run):
    peer = run.ready("STARTTLS")
    is_code(peer.ask("MAIL FROM:<>", "STARTTLS"), 220, 503)
    if peer.replies[-1].code == 503:
        raise Skipped("no STARTTLS inside a transaction")
    peer.start_tls()
    is_code(peer.ask(f"RCPT TO:<{run.user}>"), 503)
