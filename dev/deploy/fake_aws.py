"""For the tests: real clients of boto3 whose calls end in functions here instead of the network.

So each request is checked against AWS's own model of the service, and errors have boto3's classes.
"""

import re
from datetime import datetime, timezone
from types import SimpleNamespace

import boto3

NOW = datetime(2027, 1, 31, 9, 0, 0, tzinfo=timezone.utc)
_clients = {}


class Refused(Exception):
    """AWS answers with an error of this code."""

    def __init__(self, code: str, message: str = ""):
        super().__init__(code)
        self.code, self.message = code, message


class FakeAws:
    """An account: `answers` has a function of the parameters, or an answer, for each operation."""

    def __init__(self, **answers):
        self.answers, self.calls = answers, []
        self.answers.setdefault("GetCallerIdentity", {"Account": "123456789012"})

    def client(self, service: str):
        """A client of the service, asked of this account from now on."""
        if service not in _clients:
            session = boto3.Session("test", "test", region_name="eu-west-1")
            _clients[service] = session.client(service)
            events = _clients[service].meta.events
            events.register("before-parameter-build.*.*", _remember)
            events.register(f"before-call.{service}", lambda **told: _clients[service].fake.answer(**told))
        _clients[service].fake = self
        return _clients[service]

    def answer(self, model, context, **_):
        operation, parameters = model.name, context["asked"]
        self.calls.append((operation, parameters))
        if operation not in self.answers:
            raise AssertionError(f"nobody said what {operation} answers; it was asked {parameters}")
        found = self.answers[operation]
        try:
            answer = found(parameters) if callable(found) else found
        except Refused as error:
            wrong = {"Error": {"Code": error.code, "Message": error.message}}
            return SimpleNamespace(status_code=400, headers={}), {**wrong, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return SimpleNamespace(status_code=200, headers={}), {**(answer or {}), "ResponseMetadata": {"HTTPStatusCode": 200}}

    def asked(self, operation: str) -> list:
        """The parameters of each call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]


def _remember(params, context, **_):
    context["asked"] = dict(params)


class Tables:
    """DynamoDB, as far as it is used: tables in memory, with the conditions that copies are written under."""

    def __init__(self, aws: FakeAws):
        self.tables, self.backups, self.recovery, self.keys = {}, [], {}, {}
        # Called before each write: somebody else may be faster.
        self.meanwhile = lambda item: None
        for name in ("DescribeTable", "ListTables", "Scan", "Query", "BatchGetItem", "PutItem", "TransactWriteItems", "UpdateItem", "ListBackups", "DeleteTable",
                     "DescribeContinuousBackups", "UpdateContinuousBackups", "RestoreTableToPointInTime", "RestoreTableFromBackup",
                     "UpdateTimeToLive", "UpdateTable", "TagResource"):
            service = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
            aws.answers.setdefault(name, getattr(self, service))

    def add(self, name: str, keys: tuple, items=(), recovery=True) -> None:
        """Makes a table; items have plain texts, or sets of them."""
        self.keys[name], self.recovery[name] = keys, recovery
        self.tables[name] = {}
        for item in items:
            self.put(name, item)

    def put(self, name: str, item: dict) -> None:
        typed = {key: value if isinstance(value, dict) else {"SS": sorted(value)} if isinstance(value, set) else {"S": value} for key, value in item.items()}
        self.tables[name][self._key(name, typed)] = typed

    def items(self, name: str) -> list:
        """The items of a table, in order."""
        return [self.tables[name][key] for key in sorted(self.tables[name])]

    def _key(self, name: str, item: dict) -> tuple:
        return tuple(item[key]["S"] for key in self.keys[name])

    def _table(self, name: str) -> dict:
        if name not in self.tables:
            raise Refused("ResourceNotFoundException", f"Table: {name} not found")
        return self.tables[name]

    def _describe_table(self, asked):
        name = asked["TableName"]
        return {"Table": {
            "TableName": name, "TableStatus": "ACTIVE", "ItemCount": len(self._table(name)), "TableArn": f"arn:{name}",
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"} for key in self.keys[name]], "TableSizeBytes": 2**30,
        }}

    def _list_tables(self, _):
        return {"TableNames": sorted(self.tables)}

    def _scan(self, asked):
        items = self.items(asked["TableName"])
        if "FilterExpression" in asked:
            return {"Items": [item for item in items if item["pk"]["S"].startswith("erased#")]}
        # A partition is in one segment, in order.
        segment = lambda item: sum(map(ord, self._key(asked["TableName"], item)[0])) % asked["TotalSegments"]
        mine = [item for item in items if segment(item) == asked["Segment"]]
        start = asked.get("ExclusiveStartKey")
        if start:
            mine = [item for item in mine if self._key(asked["TableName"], item) > self._key(asked["TableName"], start)]
        # One item a page.
        more = {"LastEvaluatedKey": {key: mine[0][key] for key in self.keys[asked["TableName"]]}} if len(mine) > 1 else {}
        return {"Items": mine[:1], **more}

    def _batch_get_item(self, asked):
        (name, wanted), = asked["RequestItems"].items()
        keys = [self._key(name, key) for key in wanted["Keys"]]
        assert len(set(keys)) == len(keys) <= 100, "AWS takes 100 keys, each once"
        return {"Responses": {name: [self.tables[name][key] for key in keys if key in self._table(name)]}}

    def _query(self, asked):
        pk = asked["ExpressionAttributeValues"][":pk"]
        return {"Items": [item for item in self.items(asked["TableName"]) if item["pk"] == pk]}

    def _put_item(self, asked):
        self.meanwhile(asked["Item"])
        if not self._may(asked, asked["Item"]):
            raise Refused("ConditionalCheckFailedException", "The conditional request failed")
        self.tables[asked["TableName"]][self._key(asked["TableName"], asked["Item"])] = asked["Item"]

    def _transact_write_items(self, asked):
        (kind, write), = asked["TransactItems"][0].items()
        if kind == "Put":
            self.meanwhile(write["Item"])
        parts = [part for one in asked["TransactItems"] for part in one.values()]
        if not all(self._may(part, part.get("Item") or part["Key"]) for part in parts):
            raise Refused("TransactionCanceledException", "Transaction cancelled [ConditionalCheckFailed, None]")
        if kind == "Put":
            self.tables[write["TableName"]][self._key(write["TableName"], write["Item"])] = write["Item"]
        else:
            self.tables[write["TableName"]].pop(self._key(write["TableName"], write["Key"]), None)

    def _may(self, asked: dict, item: dict) -> bool:
        existing = self._table(asked["TableName"]).get(self._key(asked["TableName"], item)) or {}
        conditions = asked.get("ConditionExpression")
        return conditions is None or all(self._holds(part, asked, existing) for part in conditions.split(" AND "))

    @staticmethod
    def _holds(part: str, asked: dict, existing: dict) -> bool:
        named = lambda name: asked["ExpressionAttributeNames"][name] if name.startswith("#") else name
        if absent := re.fullmatch(r"attribute_not_exists\((#?\w+)\)", part):
            return named(absent[1]) not in existing
        name, value = part.split(" = ")
        return existing.get(named(name)) == asked["ExpressionAttributeValues"][value]

    def _update_item(self, asked):
        item = self._table(asked["TableName"]).setdefault(self._key(asked["TableName"], asked["Key"]), dict(asked["Key"]))
        for part in asked["UpdateExpression"].removeprefix("ADD ").split(", "):
            name, value = part.split(" ")
            name = asked["ExpressionAttributeNames"][name]
            both = {*item.get(name, {"SS": []})["SS"], *asked["ExpressionAttributeValues"][value]["SS"]}
            item[name] = {"SS": sorted(both)}

    def _describe_continuous_backups(self, asked):
        self._table(asked["TableName"])
        if not self.recovery[asked["TableName"]]:
            off = {"PointInTimeRecoveryStatus": "DISABLED"}
            return {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": off}}
        return {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": {
            "PointInTimeRecoveryStatus": "ENABLED", "EarliestRestorableDateTime": NOW.replace(day=1), "LatestRestorableDateTime": NOW,
        }}}

    def _update_continuous_backups(self, asked):
        self.recovery[asked["TableName"]] = asked["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]

    def _restore_table_to_point_in_time(self, asked):
        self.add(asked["TargetTableName"], self.keys[asked["SourceTableName"]], recovery=False)
        self.tables[asked["TargetTableName"]] = dict(self.then[asked["SourceTableName"]])

    def _restore_table_from_backup(self, asked):
        name = asked["TargetTableName"]
        self.add(name, self.keys[name], recovery=False)

    def _list_backups(self, asked):
        return {"BackupSummaries": [one for one in self.backups if one["TableName"] == asked["TableName"]]}

    def _delete_table(self, asked):
        del self.tables[asked["TableName"]]

    def _update_time_to_live(self, _):
        pass

    _update_table = _tag_resource = _update_time_to_live

    # What tables were at the time that is restored.
    @property
    def then(self) -> dict:
        if not hasattr(self, "past"):
            self.past = {name: dict(items) for name, items in self.tables.items()}
        return self.past

    def remember(self) -> None:
        """What the tables hold now is what they held then."""
        self.past = {name: dict(items) for name, items in self.tables.items()}
