/* SPDX-License-Identifier: MIT */
#ifndef PRIVLINKD_TESTS_BATCH_H
#define PRIVLINKD_TESTS_BATCH_H

/* Questions and expected answers from a file, one TAP line (without numbers) a case:
 *
 *     # comment
 *     server ADDR@PORT        whom to ask from now on
 *     timeout MS              how long to wait for a reply (default 10000)
 *     case TEXT               what follows up to the next case is one test
 *     q QUESTION...           ask and wait (question.h tells the words)
 *     a LABEL QUESTION...     ask, and wait later:
 *     w LABEL                 the reply to LABEL is the one that the next lines speak of
 *     idle LABEL              no reply to LABEL has come so far
 *     silent QUESTION...      no reply comes before the reply to the same with the QR bit unset
 *     drop                    end the kept connections (tcpk, tlsk)
 *     = RCODE [WORD...]       what the last reply must show: aa tc ad edns do ede=N ede=any; -WORD
 *     must not an|au|ar RECORD         its records, all of them and in this order. A word `*` is
 *     any, a TTL `<N` at most N.
 *                             an and au are compared always (none given: none may be there),
 *                             ar only where given; `an ~` leaves a section unchecked, `an ? RECORD`
 *                             in a section means: all with `?` in any order
 *     ctl SOCKET CMD...       a command for fakeup, which must not fail
 *     await SOCKET CMD... = V until fakeup says V
 *     count SOCKET N NAME TYPE   fakeup has had exactly N such queries (`total` for all)
 *     mark SOCKET             remember how many queries fakeup has had;
 *     unmoved SOCKET          it has had none since
 *     run COMMAND             a shell command, which must exit 0
 */

#include <stdio.h>

/* Returns the number of cases that failed, or -1 where the file makes no sense. */
int batch_run(FILE *in, const char *file_name);

#endif
