"""What a customer file may hold."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from patron.core.customers.loading import CONSENTS, apply_customers
from patron.core.customers.phones import PLANS
from patron.core.customers.search import complete_search_terms
from patron.kernel.intake.contract import ApplyCounts, Chunk, Cursor, Importer, ImportField, Treatment, importers

OLDEST_BIRTHDAY = "DATE '1890-01-01'"

FIELDS = (
    ImportField("external_id", _("Customer id"), max_length=100, aliases=(
        "id", "customer id", "customer no", "customer number", "member id", "member no", "member number",
        "household key", "顧客編號", "客戶編號", "客户编号", "會員編號", "会员编号",
    ), help=_("The number under which the system that the file comes from knows the customer.")),
    ImportField("name", _("Name"), max_length=200, aliases=(
        "full name", "customer name", "chinese name", "姓名", "中文姓名", "名稱", "名称", "客戶名稱", "客户名称",
    )),
    ImportField("family_name", _("Family name"), max_length=100, aliases=("surname", "last name", "姓", "姓氏")),
    ImportField("given_name", _("Given name"), max_length=100, aliases=("first name", "forename", "名", "名字")),
    ImportField("latin_name", _("Name in Latin letters"), max_length=200, aliases=(
        "english name", "romanised name", "英文姓名", "英文名",
    )),
    ImportField("kind", _("Kind"), aliases=("customer type", "type", "類別", "类别")),
    ImportField("sex", _("Sex"), aliases=("gender", "title", "性別", "性别", "稱謂", "称谓")),
    ImportField("birth_on", _("Birthday"), "date", aliases=(
        "birthday", "birth date", "date of birth", "dob", "生日", "出生日期",
    )),
    ImportField("phone", _("Phone"), max_length=40, aliases=(
        "mobile", "mobile phone", "telephone", "tel", "cell", "phone number", "電話", "电话", "手機", "手机",
        "手提電話",
    )),
    ImportField("email", _("E-mail"), max_length=200, aliases=(
        "email address", "mail", "電郵", "電子郵件", "邮箱", "电子邮件",
    )),
    ImportField("lines", _("Address"), max_length=400, aliases=("address", "street", "地址", "住址")),
    ImportField("district", _("District"), max_length=100, aliases=("area", "地區", "地区", "區")),
    ImportField("city", _("City"), max_length=100, aliases=("town", "城市")),
    ImportField("region", _("Region"), max_length=100, aliases=("province", "state", "county", "省")),
    ImportField("country", _("Country"), max_length=60, aliases=("國家", "国家")),
    ImportField("postcode", _("Postcode"), max_length=20, aliases=(
        "zip", "zip code", "postal code", "郵遞區號", "邮编",
    )),
    ImportField("latitude", _("Latitude"), aliases=("lat", "緯度", "纬度")),
    ImportField("longitude", _("Longitude"), aliases=("lon", "lng", "long", "經度", "经度")),
    ImportField("language", _("Language"), aliases=("preferred language", "語言", "语言")),
    ImportField("occupation", _("Occupation"), max_length=100, aliases=("job", "profession", "職業", "职业")),
    ImportField("registered_on", _("Registered on"), "date", aliases=(
        "registered", "registration date", "created", "created at", "customer since", "登記日期", "注册日期",
    )),
    ImportField("branch_code", _("Branch"), max_length=40, aliases=(
        "branch", "home branch", "store", "shop", "store id", "store code", "分店", "分店編號", "门店",
    )),
    ImportField("consent_marketing_sms", _("Marketing by SMS allowed"), "flag", aliases=("sms consent", "sms opt in")),
    ImportField("consent_marketing_email", _("Marketing by e-mail allowed"), "flag", aliases=(
        "email consent", "email opt in", "newsletter",
    )),
    ImportField("consent_marketing_phone", _("Marketing by phone allowed"), "flag", aliases=("phone consent",)),
    ImportField("consent_marketing_post", _("Marketing by post allowed"), "flag", aliases=("post consent",)),
    ImportField("consent_marketing_any", _("Marketing allowed"), "flag", aliases=(
        "marketing consent", "opt in", "同意推廣",
    )),
    ImportField("preferences", _("Preferences"), max_length=2000, aliases=("remarks", "notes", "備註", "备注", "喜好")),
)  # fmt: skip

_DIGITS = "regexp_replace(phone, '[^0-9+]', '', 'g')"
_EMAIL = '\'[^\\s@,;<>"]{1,64}@[^\\s@,;<>".]+(\\.[^\\s@,;<>".]+)+\''


def _plan_cases() -> str:
    """CASE branches that turn the numbers of the simple plans into E.164; see `phones.py`."""
    cases = []
    for code, pattern, _trunk in PLANS.values():
        bare = pattern.removeprefix("0?")
        cases.append(
            f"WHEN regexp_full_match({_DIGITS}, '(\\+|00){code}{pattern}') THEN "
            f"'+{code}' || regexp_extract({_DIGITS}, '({bare})$', 1)"
        )
    for region in dict.fromkeys((settings.PHONE_REGION, "CN")):
        if region in PLANS:
            code, pattern, _trunk = PLANS[region]
            cases.append(
                f"WHEN regexp_full_match({_DIGITS}, '{pattern}') THEN '+{code}' || "
                f"regexp_extract({_DIGITS}, '({pattern.removeprefix('0?')})$', 1)"
            )
    return " ".join(cases)


PHONE = f"CASE WHEN regexp_matches(phone, '[A-Za-z]') THEN phone {_plan_cases()} ELSE phone END"
NAME = (
    "coalesce(name, nullif(CASE WHEN regexp_matches(coalesce(family_name, given_name), '\\p{Han}') "
    "THEN coalesce(family_name, '') || coalesce(given_name, '') "
    "ELSE trim(coalesce(given_name, '') || ' ' || coalesce(family_name, '')) END, ''), latin_name)"
)
# Who has no number in the other system is known by phone or e-mail, with the name: families share both.
EXTERNAL_ID = f"coalesce(external_id, left(coalesce({PHONE}, lower(email)) || ' ' || coalesce({NAME}, ''), 120))"
SEX = """CASE
    WHEN lower(sex) IN ('f', 'female', 'woman', 'w', 'ms', 'mrs', 'miss', 'madam', '2', '女', '女性', '女士',
        '小姐', '太太') THEN 'female'
    WHEN lower(sex) IN ('m', 'male', 'man', 'mr', 'sir', '男', '男性', '先生', '1') THEN 'male'
    WHEN lower(sex) IN ('o', 'other', 'x', 'diverse', '其他', '其它') THEN 'other' END"""
LANGUAGE = """CASE
    WHEN lower(language) IN ('zh-hant', 'zh-hk', 'zh-tw', 'zh-mo', 'zh_hk', 'zh_tw', 'tc', 'zh', 'chinese', 'cantonese',
        'traditional chinese', '中文', '繁體中文', '繁體', '粵語', '廣東話', '國語') THEN 'zh-hant'
    WHEN lower(language) IN ('zh-hans', 'zh-cn', 'zh-sg', 'zh_cn', 'sc', 'simplified chinese', 'mandarin', 'putonghua',
        '简体中文', '簡體中文', '简体', '普通話', '普通话') THEN 'zh-hans'
    WHEN lower(language) IN ('en', 'eng', 'english', 'en-gb', 'en-us', 'en-hk', '英文', '英語', '英语') THEN 'en' END"""
KIND = """CASE lower(kind) WHEN 'individual' THEN 'individual' WHEN 'person' THEN 'individual'
    WHEN 'household' THEN 'household' WHEN 'family' THEN 'household' WHEN 'organisation' THEN 'organisation'
    WHEN 'organization' THEN 'organisation' WHEN 'company' THEN 'organisation' WHEN 'intermediary' THEN 'intermediary'
    WHEN 'indirect' THEN 'indirect' WHEN 'internal' THEN 'internal' WHEN 'community' THEN 'community'
    WHEN 'prospect' THEN 'prospect' END"""
_ON_EARTH = (
    "(TRY_CAST(latitude AS DOUBLE) BETWEEN -90 AND 90 AND TRY_CAST(longitude AS DOUBLE) BETWEEN -180 AND 180) IS TRUE"
)

TREATMENTS = (
    Treatment(
        "no_identity",
        _("No id, phone or e-mail"),
        "reject",
        condition="external_id IS NULL AND phone IS NULL AND email IS NULL",
        message=_("Nothing says who this is: give a customer id, a phone number or an e-mail address."),
        column="external_id",
    ),
    Treatment(
        "bad_email",
        _("Not an e-mail address: left out"),
        "fix",
        condition=f"email IS NOT NULL AND NOT regexp_full_match(email, {_EMAIL})",
        fixes={"email": "NULL"},
        column="email",
        needs=("email",),
    ),
    Treatment(
        "bad_birthday",
        _("Birthday in the future or before 1890: left out"),
        "fix",
        condition=f"birth_on > current_date OR birth_on < {OLDEST_BIRTHDAY}",
        fixes={"birth_on": "NULL"},
        column="birth_on",
        needs=("birth_on",),
    ),
    Treatment(
        "bad_coordinates",
        _("Coordinates not on earth, or only one of them: left out"),
        "fix",
        condition=f"(latitude IS NOT NULL OR longitude IS NOT NULL) AND NOT ({_ON_EARTH})",
        fixes={"latitude": "NULL", "longitude": "NULL"},
        column="latitude",
    ),
    Treatment(
        "unknown_sex",
        _("Sex not understood: left out"),
        "note",
        condition=f"sex IS NOT NULL AND ({SEX}) IS NULL",
        column="sex",
        needs=("sex",),
    ),
    Treatment(
        "unknown_language",
        _("Language not understood: left out"),
        "note",
        condition=f"language IS NOT NULL AND ({LANGUAGE}) IS NULL",
        column="language",
        needs=("language",),
    ),
    Treatment("repeated_customer", _("The same customer again in the file: the last row counts"), "note"),
    Treatment("bad_phone", _("Not a phone number: left out"), "note", column="phone"),
    Treatment("unknown_branch", _("No branch has this code: left without a home branch"), "note", column="branch_code"),
)


def count_known(cursor: Cursor, table: str, source: str) -> int:
    """How many of the external ids in `table` are on file."""
    cursor.execute(
        f"SELECT count(*) FROM {table} AS k "  # noqa: S608 (the engine's table)
        "JOIN customers_externalid AS e ON e.value = k.external_id AND e.source = %s",
        [source],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def finish_customers(chunk: Chunk) -> ApplyCounts:
    """Make the new customers findable."""
    complete_search_terms()
    chunk.execute("ANALYZE customers_customer")
    return ApplyCounts()


importers.register(
    Importer(
        name="customers",
        label=_("Customers"),
        things=_("customers"),
        permission="customers.import",
        fields=FIELDS,
        treatments=TREATMENTS,
        one_of=(("external_id", "phone", "email"),),
        completed={
            "external_id": EXTERNAL_ID,
            "name": NAME,
            "phone": PHONE,
            "email": "lower(email)",
            "sex": SEX,
            "language": LANGUAGE,
            "kind": KIND,
        },
        sort_by=("external_id", "row_no"),
        keep_together=("external_id",),
        apply=apply_customers,
        finish=finish_customers,
        count_known=count_known,
        help=_(
            "Customers are known by the id of the system that the file comes from; the same file again changes nothing."
        ),
    )
)

assert set(CONSENTS) <= {field.name for field in FIELDS}  # noqa: S101 (one list is made from the other's names)
