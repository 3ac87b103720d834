"""Tests of strict/iam.py: what IAM says, and that nothing unknown is taken for a yes."""

import unittest

from strict.iam import Decision, Unknown, decide, like, with_resources_policy

TABLE = "arn:aws:dynamodb:us-east-1:0:table/bookings"
GET = "dynamodb:GetItem"


def allow(action=GET, resource=TABLE, **more) -> dict:
    return {"Sid": "s", "Effect": "Allow", "Action": action, "Resource": resource, **more}


class Decisions(unittest.TestCase):
    def is_allowed(self, *statements, action=GET, resource=TABLE, **context) -> bool:
        return decide(list(statements), action, resource, context) is Decision.ALLOWED

    def test_what_no_statement_names_is_not_allowed(self):
        self.assertTrue(self.is_allowed(allow()))
        self.assertEqual(decide([], GET, TABLE), Decision.NOT_ALLOWED)
        self.assertFalse(self.is_allowed(allow(), action="dynamodb:PutItem"))
        self.assertFalse(self.is_allowed(allow(), resource=TABLE + "-2"))

    def test_a_deny_wins_wherever_it_stands(self):
        deny = allow("dynamodb:*", "*") | {"Effect": "Deny"}
        for statements in ([allow(), deny], [deny, allow()]):
            self.assertEqual(decide(statements, GET, TABLE), Decision.DENIED)

    def test_a_table_is_not_its_indexes(self):
        self.assertFalse(self.is_allowed(allow("dynamodb:Query"), action="dynamodb:Query", resource=TABLE + "/index/byStart"))
        index = allow("dynamodb:Query", TABLE + "/index/byStart")
        self.assertTrue(self.is_allowed(index, action="dynamodb:Query", resource=TABLE + "/index/byStart"))
        self.assertFalse(self.is_allowed(index, action="dynamodb:Query", resource=TABLE + "/index/byStatus"))

    def test_wildcards_stand_for_slashes_too_and_nothing_else_does(self):
        self.assertTrue(like("arn:*:secret:s/connections/*", "arn:aws:x:secret:s/connections/A/b-1"))
        self.assertTrue(like("a?c", "abc"))
        self.assertFalse(like("a?c", "ac"))
        self.assertFalse(like("a.c", "abc"))

    def test_actions_do_not_care_about_case_and_resources_do(self):
        self.assertTrue(self.is_allowed(allow("DynamoDB:getitem")))
        self.assertFalse(self.is_allowed(allow(resource=TABLE.upper())))

    def test_opposites(self):
        but = {"Effect": "Allow", "NotAction": "dynamodb:DeleteItem", "Resource": "*"}
        self.assertTrue(self.is_allowed(but))
        self.assertFalse(self.is_allowed(but, action="dynamodb:DeleteItem"))
        elsewhere = {"Effect": "Deny", "Action": "*", "NotResource": TABLE}
        self.assertTrue(self.is_allowed(allow(resource="*"), elsewhere))
        self.assertFalse(self.is_allowed(allow(resource="*"), elsewhere, resource="arn:other"))

    def test_conditions_on_leading_keys(self):
        own = allow(Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["c#1#*"]}})
        self.assertTrue(decide([own], GET, TABLE, {"dynamodb:LeadingKeys": ["c#1#a", "c#1#b"]}) is Decision.ALLOWED)
        self.assertFalse(decide([own], GET, TABLE, {"dynamodb:LeadingKeys": ["c#1#a", "c#2#b"]}) is Decision.ALLOWED)

    def test_conditions_negated_missing_and_optional(self):
        def held(operator, values, wanted="x"):
            statement = allow(Condition={operator: {"k": wanted}})
            return decide([statement], GET, TABLE, {"k": values}) is Decision.ALLOWED

        self.assertTrue(held("StringEquals", ["x"]))
        self.assertFalse(held("StringEquals", ["X"]))
        self.assertFalse(held("StringEquals", []))
        self.assertTrue(held("StringEqualsIfExists", []))
        self.assertFalse(held("StringNotEquals", ["x"]))
        self.assertTrue(held("StringNotEquals", []))
        self.assertTrue(held("Null", [], "true"))
        self.assertFalse(held("Null", ["x"], "true"))
        self.assertTrue(held("ForAnyValue:StringEquals", ["y", "x"]))
        self.assertFalse(held("ForAnyValue:StringEquals", []))

    def test_a_resources_own_policy_allows_and_denies_too(self):
        role = "arn:aws:iam::0:role/worker"

        def decided(by_role, principal, effect="Allow"):
            own = [allow(Principal=principal) | {"Effect": effect}]
            return with_resources_policy(by_role, own, role, GET, TABLE)

        self.assertEqual(decided(Decision.NOT_ALLOWED, {"AWS": role}), Decision.ALLOWED)
        self.assertEqual(decided(Decision.NOT_ALLOWED, {"AWS": [role + "-2"]}), Decision.NOT_ALLOWED)
        self.assertEqual(decided(Decision.ALLOWED, "*", "Deny"), Decision.DENIED)
        self.assertEqual(decided(Decision.DENIED, {"AWS": "*"}), Decision.DENIED)
        with self.assertRaises(Unknown):
            decided(Decision.NOT_ALLOWED, {"Service": "lambda.amazonaws.com"})

    def test_what_it_does_not_know_is_no_yes(self):
        for strange in (
            allow(Condition={"DateLessThan": {"k": "2027"}}),
            allow(Condition={"StringEquals": {"aws:unheard-of": "x"}}),
            allow(resource="arn:${aws:PrincipalTag/x}"),
            allow(Principal="*"),
            allow() | {"Effect": "Perhaps"},
            allow() | {"NotAction": "x"},
        ):
            with self.subTest(strange), self.assertRaises(Unknown):
                decide([strange], GET, TABLE, {"k": ["x"]})


if __name__ == "__main__":
    unittest.main()
