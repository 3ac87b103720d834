from datetime import datetime, timezone

from bench_deploy import NAMES, AroundCase
from fake_aws import NOW

BOOKINGS, DELIVERIES, CONNECTIONS = (NAMES[f"{name}Table"] for name in ("Bookings", "Deliveries", "Connections"))
AT = "2027-01-31T08:00:00Z"
COPY = f"{BOOKINGS}-at-20270131T080000"


def event(id_: str, text: str, **more) -> dict:
    return {"pk": f"calendly#event#{id_}", "sk": "event", "record": text, **more}


class Restored(AroundCase):
    def setUp(self):
        super().setUp()
        # An hour ago there were three events; then one row was lost and one was spoilt, and one came new.
        for item in (event("lost", "l1"), event("spoilt", "s1"), event("same", "q1"), {"pk": "buckets", "sk": "buckets", "names": {"2027-01#a"}}):
            self.tables.put(BOOKINGS, item)
        self.tables.remember()
        del self.tables.tables[BOOKINGS]["calendly#event#lost", "event"]
        self.tables.put(BOOKINGS, event("spoilt", "s2"))
        self.tables.put(BOOKINGS, event("new", "n1"))
        self.tables.put(BOOKINGS, {"pk": "buckets", "sk": "buckets", "names": {"2027-02#b"}})
        self.api.delivery("d1", receivedAt="2027-01-31T08:30:00Z")

    def records(self, table=BOOKINGS) -> dict:
        return {item["pk"]["S"].rpartition("#")[2]: item["record"]["S"] for item in self.tables.items(table) if "record" in item}

    def test_what_is_missing_comes_back_and_nothing_else_changes(self):
        done = self.around("restore", TABLE="bookings", AT=AT)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(self.records(), {"lost": "l1", "spoilt": "s2", "same": "q1", "new": "n1"})
        asked, = self.aws.asked("RestoreTableToPointInTime")
        self.assertEqual(asked["RestoreDateTime"], datetime(2027, 1, 31, 8, tzinfo=timezone.utc))
        self.assertEqual((asked["TargetTableName"], asked["GlobalSecondaryIndexOverride"]), (COPY, []))
        self.assertSays(done.out, "differs", "1 that differ stay as they are", "2 items were put back", f"delete-table --table-name {COPY}")

    def test_both_lists_of_months_count(self):
        self.around("restore", TABLE="bookings", AT=AT)
        self.assertEqual(self.tables.tables[BOOKINGS]["buckets", "buckets"]["names"], {"SS": ["2027-01#a", "2027-02#b"]})

    def test_what_differs_comes_back_where_it_is_said(self):
        done = self.around("restore", TABLE="bookings", AT=AT, REPLACE=1)
        self.assertEqual(done.code, 0)
        self.assertEqual(self.records(), {"lost": "l1", "spoilt": "s1", "same": "q1", "new": "n1"})
        self.assertIn("1 items are OVERWRITTEN", done.out)

    def test_only_the_events_that_are_named(self):
        self.around("restore", TABLE="bookings", AT=AT, REPLACE=1, ID="spoilt,another")
        self.assertEqual(self.records(), {"spoilt": "s1", "same": "q1", "new": "n1"})

    def test_a_dry_run_writes_nothing(self):
        before = self.tables.items(BOOKINGS)
        done = self.around("restore", TABLE="bookings", AT=AT, REPLACE=1, DRY_RUN=1, typed=None)
        self.assertEqual((done.code, self.tables.items(BOOKINGS)), (0, before))
        self.assertEqual(self.aws.asked("PutItem") + self.aws.asked("UpdateItem"), [])
        self.assertSays(done.out, "A dry run: nothing was written", f"make restore TABLE=bookings AT={AT} REPLACE=1 STAGE=prod")

    def test_nobody_who_agrees_is_no_agreement(self):
        for typed, variables in ((None, {}), ("bookings-dev", {}), (None, {"CONFIRM": "yes"})):
            done = self.around("restore", TABLE="bookings", AT=AT, typed=typed, **variables)
            self.assertEqual(done.code, 2)
            self.assertNotIn("lost", self.records())
        self.assertEqual(self.around("restore", TABLE="bookings", AT=AT, typed=None, CONFIRM="bookings-prod").code, 0)

    def test_the_deliveries_since_then_are_applied_again(self):
        self.api.delivery("d0", receivedAt="2027-01-31T07:00:00Z")
        self.api.delivery("d2", "ignored", receivedAt="2027-01-31T08:31:00Z")
        done = self.around("restore", TABLE="bookings", AT=AT)
        self.assertEqual([call for call in self.api.calls if "replay" in call], ["POST /v1/deliveries/d1/replay"])
        self.assertIn("1 deliveries that came since 2027-01-31T07:50:00Z were queued", done.out)

    def test_of_named_events_only_their_deliveries_are_applied_again(self):
        for id_, event_id in (("d3", "spoilt"), ("d4", "same")):
            self.api.delivery(id_, receivedAt="2027-01-31T08:31:00Z", eventUri=f"https://api.calendly.com/scheduled_events/{event_id}")
        self.around("restore", TABLE="bookings", AT=AT, REPLACE=1, ID="spoilt")
        self.assertEqual([call for call in self.api.calls if "replay" in call], ["POST /v1/deliveries/d3/replay"])

    def test_deliveries_that_did_the_harm_are_not_applied_again(self):
        done = self.around("restore", TABLE="bookings", AT=AT, REPLACE=1, NO_REPLAY=1)
        self.assertEqual((done.code, self.records()["spoilt"], self.api.calls), (0, "s1", []))

    def test_an_api_that_is_down_leaves_that_to_people(self):
        self.api.close()
        done = self.around("restore", TABLE="bookings", AT=AT)
        self.assertEqual(self.records()["lost"], "l1")
        self.assertSays(done.out + done.err, "were not applied again", "apply the deliveries since 2027-01-31T08:00:00Z again")

    def test_whoever_writes_meanwhile_wins(self):
        faster = {"l1": event("lost", "l2"), "s1": event("spoilt", "s3")}
        self.tables.meanwhile = lambda item: self.tables.put(BOOKINGS, faster[item["record"]["S"]])
        done = self.around("restore", TABLE="bookings", AT=AT, REPLACE=1)
        self.assertEqual(done.code, 1)
        self.assertEqual((self.records()["lost"], self.records()["spoilt"]), ("l2", "s3"))
        self.assertIn("2 were changed by others meanwhile", done.out)

    def test_a_copy_that_stopped_goes_on(self):
        for number in range(40):
            self.tables.put(BOOKINGS, event(f"e{number:02}", "x"))
        self.tables.remember()
        for number in range(40):
            del self.tables.tables[BOOKINGS][f"calendly#event#e{number:02}", "event"]
        self.tables.put(BOOKINGS, event("lost", "l1"))
        puts = []

        def breaks(item):
            puts.append(item)
            if len(puts) == 20:
                raise AssertionError("the network is gone")

        self.tables.meanwhile = breaks
        with self.assertRaises(AssertionError):
            self.around("restore", TABLE="bookings", AT=AT)
        self.tables.meanwhile = lambda item: None
        before = len(self.aws.asked("Scan"))
        done = self.around("restore", TABLE="bookings", AT=AT)
        self.assertEqual(done.code, 0)
        # A comparison of all, the marks of erasure, and what was left.
        self.assertLess(len(self.aws.asked("Scan")) - before, 44 + 1 + 44)
        self.assertEqual(len(self.records()), 44)
        self.assertEqual(len(self.aws.asked("RestoreTableToPointInTime")), 1)
        self.assertEqual(list((self.root / ".local" / "restore").iterdir()), [])

    def test_a_time_that_can_not_be_restored(self):
        for at, says in (("2026-12-31T08:00:00Z", "is outside"), ("2027-03-01T08:00:00Z", "future"), ("yesterday", "must be a date or a time")):
            done = self.around("restore", TABLE="bookings", AT=at)
            self.assertEqual(done.code, 2)
            self.assertIn(says, done.err)
        self.tables.recovery[BOOKINGS] = False
        done = self.around("restore", TABLE="bookings", AT=AT)
        self.assertIn("no point-in-time recovery", done.err)

    def test_from_a_table_that_is_there(self):
        self.tables.add("old", ("pk", "sk"), [event("older", "o1")])
        done = self.around("restore", TABLE="bookings", FROM_TABLE="old")
        self.assertEqual((done.code, self.records()["older"]), (0, "o1"))
        self.assertNotIn("delete-table", done.out)
        for wrong, says in (("none", "no table none"), (DELIVERIES, "holds no bookings"), (BOOKINGS, "own table")):
            done = self.around("restore", TABLE="bookings", FROM_TABLE=wrong)
            self.assertEqual(done.code, 2)
            self.assertIn(says, done.err)


class Links(AroundCase):
    """The items beside an event, by which it is found, follow from its record: none that is older comes back."""

    def setUp(self):
        super().setUp()
        self.pk = "calendly#event#e"
        self.put("e1", "contact#guest#ann", "connection#A")
        self.tables.remember()

    def put(self, etag: str | None, *links: str):
        for key in [key for key in self.tables.tables[BOOKINGS] if key[0] == self.pk]:
            del self.tables.tables[BOOKINGS][key]
        if etag:
            self.tables.put(BOOKINGS, {"pk": self.pk, "sk": "event", "record": etag, "etag": etag})
        for link in links:
            self.tables.put(BOOKINGS, {"pk": self.pk, "sk": link, "party": f"party#{link}"})

    def stored(self) -> list:
        return [item["sk"]["S"] for item in self.tables.items(BOOKINGS)]

    def test_with_the_event_or_beside_it_as_it_was_they_come_back(self):
        for etag in (None, "e1"):
            self.put(etag)
            done = self.around("restore", TABLE="bookings", AT=AT)
            self.assertEqual((done.code, self.stored()), (0, ["connection#A", "contact#guest#ann", "event"]), done.err)

    def test_of_an_event_that_has_changed_since_they_do_not(self):
        self.put("e2", "connection#A")
        done = self.around("restore", TABLE="bookings", AT=AT)
        self.assertEqual(self.stored(), ["connection#A", "event"])
        self.assertIn("left out", done.out)

    def test_an_event_that_changes_meanwhile_keeps_its_own(self):
        def changes(item):
            if item["sk"]["S"].startswith("contact"):
                self.tables.put(BOOKINGS, {"pk": self.pk, "sk": "event", "record": "e2", "etag": "e2"})

        for etag in (None, "e1"):
            self.put(etag)
            self.tables.meanwhile = changes
            done = self.around("restore", TABLE="bookings", AT=AT)
            self.assertEqual(done.code, 1)
            self.assertNotIn("contact#guest#ann", self.stored())

    def test_an_older_event_takes_its_own_back_and_leaves_no_others(self):
        self.put("e2", "connection#A", "contact#guest#bob")
        self.tables.put(BOOKINGS, {"pk": self.pk, "sk": "invitee#i", "record": "i", "etag": "i"})
        self.around("restore", TABLE="bookings", AT=AT, REPLACE=1)
        self.assertEqual(self.stored(), ["connection#A", "contact#guest#ann", "event", "invitee#i"])
        self.assertEqual(self.tables.tables[BOOKINGS][self.pk, "event"]["etag"], {"S": "e1"})


class Erased(AroundCase):
    """Nobody who was erased after the time comes back."""

    def test_of_bookings(self):
        invitee = {"pk": "calendly#event#e", "sk": "invitee#i", "record": "Ann", "party": "contact#hash"}
        mark = {"pk": "erased#hash", "sk": "erased", "erasedAt": "2027-01-31T08:30:00Z"}
        self.tables.put(BOOKINGS, invitee)
        self.tables.put(BOOKINGS, {**mark, "erasedAt": "2027-01-30T00:00:00Z"})
        self.tables.remember()
        self.tables.put(BOOKINGS, {**invitee, "record": "erased"})
        self.tables.put(BOOKINGS, mark)
        before = self.tables.items(BOOKINGS)
        done = self.around("restore", TABLE="bookings", AT=AT, REPLACE=1)
        self.assertEqual(self.tables.items(BOOKINGS), before)
        self.assertSays(done.out, "1 people were erased since then", "left out")

    def test_of_deliveries(self):
        for item in ({"id": "d", "body": "Ann"}, {"id": "d#1", "body": "Ann"}, {"id": "f", "body": "x"}, {"id": "f#1", "body": "x"}):
            self.tables.put(DELIVERIES, item)
        self.tables.put(DELIVERIES, {"id": "erased#hash", "erasedAt": "2027-01-30T00:00:00Z"})
        self.tables.remember()
        self.tables.tables[DELIVERIES].clear()
        self.tables.put(DELIVERIES, {"id": "erased#hash", "at": "2027-01-31T08:30:00Z"})
        self.tables.put(DELIVERIES, {"id": "d", "erasedAt": "2027-01-31T08:30:00Z"})
        done = self.around("restore", TABLE="deliveries", AT=AT, REPLACE=1)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual([item["id"]["S"] for item in self.tables.items(DELIVERIES)], ["d", "erased#hash", "f", "f#1"])
        self.assertIn("at", self.tables.items(DELIVERIES)[1])
        self.assertNotIn("body", self.tables.items(DELIVERIES)[0])

    def test_what_has_expired_stays_away(self):
        for id_, expires in (("old", "1"), ("young", "9999999999")):
            self.tables.put(DELIVERIES, {"id": id_, "expiresAt": {"N": expires}})
        self.tables.remember()
        self.tables.tables[DELIVERIES].clear()
        self.around("restore", TABLE="deliveries", AT=AT)
        self.assertEqual([item["id"]["S"] for item in self.tables.items(DELIVERIES)], ["young"])

    def test_connections_come_back_where_their_tokens_are(self):
        self.aws.answers["ListSecrets"] = {"SecretList": [{"Name": "bookings-prod/connections/AAA"}]}
        for id_ in ("connection#AAA", "connection#BBB", "organization#O"):
            self.tables.put(CONNECTIONS, {"id": id_, "listers": {"AAA"}})
        self.tables.remember()
        self.tables.tables[CONNECTIONS].clear()
        self.tables.put(CONNECTIONS, {"id": "organization#O", "listers": {"CCC"}})
        done = self.around("restore", TABLE="connections", AT=AT)
        self.assertEqual([item["id"]["S"] for item in self.tables.items(CONNECTIONS)], ["connection#AAA", "organization#O"])
        self.assertEqual(self.tables.items(CONNECTIONS)[1]["listers"], {"SS": ["AAA", "CCC"]})
        self.assertIn("connect accounts again", done.out)
        self.assertEqual(self.around("restore", TABLE="connections", AT=AT, REPLACE=1).code, 2)


class Deleted(AroundCase):
    """A table that is gone comes back under its own name."""

    def setUp(self):
        super().setUp()
        del self.tables.tables[DELIVERIES]
        self.tables.backups = [
            {"TableName": DELIVERIES, "BackupArn": "arn:aws:dynamodb:eu-west-1:1:table/t/backup/" + when, "BackupStatus": "AVAILABLE", "BackupType": "SYSTEM",
             "BackupCreationDateTime": NOW.replace(hour=hour)}
            for when, hour in (("first", 7), ("last", 8))
        ]

    def test_from_its_last_backup_with_all_that_a_restore_leaves_out(self):
        done = self.around("restore", TABLE="deliveries")
        self.assertEqual(done.code, 0, done.err)
        asked, = self.aws.asked("RestoreTableFromBackup")
        self.assertEqual((asked["TargetTableName"], asked["BackupArn"][-4:]), (DELIVERIES, "last"))
        self.assertEqual(self.aws.asked("UpdateTimeToLive")[0]["TimeToLiveSpecification"], {"AttributeName": "expiresAt", "Enabled": True})
        self.assertTrue(self.tables.recovery[DELIVERIES])
        self.assertEqual(self.aws.asked("UpdateTable"), [{"TableName": DELIVERIES, "DeletionProtectionEnabled": True}])
        self.assertEqual(self.aws.asked("TagResource")[0]["Tags"], [{"Key": "service", "Value": "bookings"}])

    def test_a_restore_that_was_left_alone_is_finished(self):
        self.tables.add(DELIVERIES, ("id",), recovery=False)
        self.assertEqual(self.around("restore", TABLE="deliveries").code, 0)
        self.assertTrue(self.tables.recovery[DELIVERIES])
        self.assertEqual(self.aws.asked("RestoreTableFromBackup"), [])

    def test_without_a_backup(self):
        self.tables.backups = []
        done = self.around("restore", TABLE="deliveries")
        self.assertEqual(done.code, 2)
        self.assertIn("has no backup of it", done.err)

    def test_the_overview_names_it(self):
        self.tables.add("bookings-prod-BookingsTable-1ABC-at-20270101T000000", ("pk", "sk"))
        self.tables.add("bookings-prod-dev-BookingsTable-1ABC", ("pk", "sk"))
        done = self.around("restore")
        self.assertEqual(done.code, 1)
        self.assertSays(done.out, "deleted; last backup 2027-01-31 08:00:00Z", "make restore TABLE=deliveries STAGE=prod",
                        "2027-01-01T09:00:00Z to 2027-01-31T09:00:00Z", "-at-20270101T000000")
        self.assertNotIn("bookings-prod-dev", done.out)
