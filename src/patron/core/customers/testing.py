"""A cast of customers known by name, shared by tests, demo and documentation; and builders."""

from dataclasses import dataclass
from datetime import date
from itertools import count

from patron.core.accounts.models import Branch
from patron.core.customers.models import ContactPoint, Customer, ExternalId

_numbers = count(9_000_001)


@dataclass(frozen=True, slots=True)
class Character:
    """One of the cast: what is on file about them."""

    key: str
    name: str
    family_name: str = ""
    given_name: str = ""
    latin_name: str = ""
    kind: str = Customer.Kind.INDIVIDUAL
    sex: str = ""
    birth_on: date | None = None
    phone: str = ""
    email: str = ""
    language: str = ""
    occupation: str = ""
    preferences: str = ""
    registered_on: date | None = None


CHAN = Character(
    "chan", "陳大文", "陳", "大文", "Chan Tai Man", sex="male", birth_on=date(1981, 3, 6), phone="+85261234567",
    email="taiman.chan@example.com", language="zh-hant", occupation="Teacher", preferences="Window seat; no peanuts.",
    registered_on=date(2019, 5, 4),
)  # fmt: skip
WANG = Character(
    "wang", "王美玲", "王", "美玲", "Wang Mei-ling", sex="female", birth_on=date(1990, 11, 21), phone="+85298765432",
    email="meiling@example.com", language="zh-hant", occupation="Designer",
    preferences="Prefers Cantonese, SMS, mornings. Buys organic milk, never pork.", registered_on=date(2019, 1, 15),
)  # fmt: skip
LI = Character(
    "li", "李小明", "李", "小明", "Li Xiaoming", sex="male", birth_on=date(2003, 7, 30), phone="+8613812345678",
    email="xiaoming.li@example.cn", language="zh-hans", occupation="Student", registered_on=date(2025, 9, 1),
)  # fmt: skip
APPLEBY = Character(
    "appleby", "John Appleby", "Appleby", "John", sex="male", birth_on=date(1967, 2, 28), phone="+442079460123",
    email="j.appleby@example.co.uk", language="en", occupation="Engineer", registered_on=date(2022, 12, 24),
)  # fmt: skip
OUYANG = Character(
    "ouyang", "歐陽芷晴", "歐陽", "芷晴", "Au Yeung Tsz Ching", sex="female", birth_on=date(1974, 12, 1),
    phone="+85228881234", email="", language="zh-hant", occupation="Purchasing manager", registered_on=date(2020, 2, 2),
)  # fmt: skip
TAIFUNG = Character(
    "taifung", "泰豐貿易", latin_name="Tai Fung Trading Ltd", kind=Customer.Kind.ORGANISATION, phone="+85225251234",
    email="office@taifung.example.com", language="zh-hant", registered_on=date(2020, 2, 2),
)  # fmt: skip
"""An organisation; its key person is 歐陽芷晴, purchasing manager."""

CAST = (CHAN, WANG, LI, APPLEBY, OUYANG, TAIFUNG)


def make_customer(character: Character = CHAN, *, branch: Branch | None = None, **fields: object) -> Customer:
    """One of the cast on file, with phone and e-mail; `fields` change what is said of the customer itself."""
    values: dict[str, object] = {
        "number": f"C{next(_numbers)}",
        "home_branch": branch,
        **{
            name: getattr(character, name)
            for name in (
                "name", "family_name", "given_name", "latin_name", "kind", "sex", "birth_on", "language", "occupation",
                "preferences", "registered_on",
            )
        },
        **fields,
    }  # fmt: skip
    customer = Customer.objects.create(**values)
    for kind, value in ((ContactPoint.Kind.PHONE, character.phone), (ContactPoint.Kind.EMAIL, character.email)):
        if value:
            ContactPoint.objects.create(customer=customer, kind=kind, value=value, is_primary=True, source="test")
    ExternalId.objects.create(customer=customer, source="cast", value=f"{character.key}-{customer.number}")
    return customer
