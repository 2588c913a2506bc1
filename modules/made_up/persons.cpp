#include "modules/made_up/persons.hpp"

#include <stdexcept>

namespace jw::made_up {
namespace {

struct Weighted {
  std::string_view text;
  int weight;
};

// Surnames by how many of 1,000 people bear them, roughly.
constexpr Weighted kSurnames[] = {
    {"王", 71},  {"李", 70},  {"张", 67}, {"刘", 51}, {"陈", 46}, {"杨", 31}, {"黄", 22}, {"赵", 21},  {"吴", 20},
    {"周", 19},  {"徐", 14},  {"孙", 14}, {"马", 13}, {"朱", 12}, {"胡", 12}, {"郭", 11}, {"何", 11},  {"林", 11},
    {"高", 10},  {"罗", 10},  {"郑", 9},  {"梁", 9},  {"谢", 8},  {"宋", 8},  {"唐", 7},  {"许", 7},   {"韩", 6},
    {"冯", 6},   {"邓", 6},   {"曹", 6},  {"彭", 6},  {"曾", 5},  {"肖", 5},  {"田", 5},  {"董", 5},   {"袁", 5},
    {"潘", 4},   {"于", 5},   {"蒋", 4},  {"蔡", 4},  {"余", 4},  {"杜", 4},  {"叶", 4},  {"程", 4},   {"苏", 4},
    {"魏", 4},   {"吕", 4},   {"丁", 4},  {"任", 4},  {"沈", 4},  {"姚", 3},  {"卢", 4},  {"姜", 3},   {"崔", 3},
    {"钟", 3},   {"谭", 3},   {"陆", 3},  {"汪", 3},  {"范", 3},  {"金", 3},  {"石", 3},  {"廖", 3},   {"贾", 3},
    {"夏", 3},   {"韦", 3},   {"付", 3},  {"方", 3},  {"白", 2},  {"邹", 3},  {"孟", 2},  {"熊", 2},   {"秦", 2},
    {"邱", 2},   {"江", 2},   {"尹", 2},  {"薛", 2},  {"闫", 2},  {"段", 2},  {"雷", 2},  {"侯", 2},   {"龙", 2},
    {"史", 2},   {"陶", 2},   {"黎", 2},  {"贺", 2},  {"顾", 2},  {"毛", 2},  {"郝", 2},  {"龚", 2},   {"邵", 2},
    {"万", 2},   {"钱", 2},   {"严", 2},  {"覃", 2},  {"武", 1},  {"戴", 1},  {"莫", 1},  {"孔", 1},   {"向", 1},
    {"汤", 1},   {"单", 1},   {"解", 1},  {"区", 1},  {"仇", 1},  {"查", 1},  {"盖", 1},  {"欧阳", 2}, {"上官", 1},
    {"司马", 1}, {"诸葛", 1},
};

constexpr std::string_view kBoysFirst[] = {"子", "宇", "浩", "俊", "博", "文", "昊", "天", "泽", "一",
                                           "明", "嘉", "思", "志", "佳", "家", "梓", "锦", "承", "景"};
constexpr std::string_view kBoysSecond[] = {"轩", "涵", "杰", "然", "宇", "泽", "豪", "阳", "辰", "航",
                                            "睿", "凯", "鑫", "霖", "哲", "鹏", "毅", "远", "成", "恒"};
constexpr std::string_view kGirlsFirst[] = {"雨", "思", "梦", "欣", "诗", "子", "佳", "雅", "晓", "若",
                                            "语", "嘉", "心", "静", "芷", "可", "慧", "依", "婉", "书"};
constexpr std::string_view kGirlsSecond[] = {"涵", "怡", "琪", "彤", "萱", "瑶", "悦", "琳", "妍", "婷",
                                             "雯", "颖", "宁", "洁", "菲", "桐", "蕊", "莹", "昕", "媛"};
constexpr std::string_view kMen[] = {"建国", "志强", "建军", "伟",   "勇",   "军",   "磊",   "涛",   "斌",   "海波",
                                     "文斌", "永强", "晓东", "国栋", "立新", "宏伟", "振华", "卫东", "学文", "德明",
                                     "春生", "明辉", "少华", "克俭", "维民", "景明", "世杰", "光宇", "希平", "启航"};
constexpr std::string_view kWomen[] = {"丽",   "静",   "敏",   "芳",   "燕",   "秀兰", "晓红", "玉梅", "海燕", "丽华",
                                       "文娟", "雪梅", "淑珍", "春燕", "慧敏", "晓琳", "爱华", "佩芬", "亚男", "红霞",
                                       "瑞芳", "月华", "咏梅", "秋萍", "素云", "青",   "惠君", "婉清", "若兰", "映雪"};

constexpr Division kDivisions[] = {
    {"110105", "北京市", "", "朝阳区", "100020"},
    {"120101", "天津市", "", "和平区", "300041"},
    {"130102", "河北省", "石家庄市", "长安区", "050011"},
    {"140105", "山西省", "太原市", "小店区", "030032"},
    {"210102", "辽宁省", "沈阳市", "和平区", "110001"},
    {"220102", "吉林省", "长春市", "南关区", "130022"},
    {"230102", "黑龙江省", "哈尔滨市", "道里区", "150010"},
    {"310104", "上海市", "", "徐汇区", "200030"},
    {"320102", "江苏省", "南京市", "玄武区", "210018"},
    {"320506", "江苏省", "苏州市", "吴中区", "215128"},
    {"330102", "浙江省", "杭州市", "上城区", "310002"},
    {"330302", "浙江省", "温州市", "鹿城区", "325000"},
    {"340102", "安徽省", "合肥市", "瑶海区", "230011"},
    {"350102", "福建省", "福州市", "鼓楼区", "350001"},
    {"360102", "江西省", "南昌市", "东湖区", "330006"},
    {"370102", "山东省", "济南市", "历下区", "250014"},
    {"370202", "山东省", "青岛市", "市南区", "266001"},
    {"410102", "河南省", "郑州市", "中原区", "450007"},
    {"410302", "河南省", "洛阳市", "老城区", "471002"},
    {"420102", "湖北省", "武汉市", "江岸区", "430014"},
    {"430102", "湖南省", "长沙市", "芙蓉区", "410011"},
    {"440103", "广东省", "广州市", "荔湾区", "510145"},
    {"440305", "广东省", "深圳市", "南山区", "518052"},
    {"450102", "广西壮族自治区", "南宁市", "兴宁区", "530012"},
    {"460105", "海南省", "海口市", "秀英区", "570311"},
    {"500103", "重庆市", "", "渝中区", "400010"},
    {"510104", "四川省", "成都市", "锦江区", "610021"},
    {"520102", "贵州省", "贵阳市", "南明区", "550002"},
    {"530102", "云南省", "昆明市", "五华区", "650032"},
    {"610103", "陕西省", "西安市", "碑林区", "710001"},
    {"620102", "甘肃省", "兰州市", "城关区", "730030"},
    {"640104", "宁夏回族自治区", "银川市", "兴庆区", "750001"},
    {"650102", "新疆维吾尔自治区", "乌鲁木齐市", "天山区", "830002"},
};

constexpr Weighted kEthnics[] = {{"01", 912}, {"08", 14}, {"03", 12}, {"11", 12}, {"06", 9}, {"05", 8},
                                 {"07", 7},   {"15", 7},  {"02", 6},  {"04", 5},  {"12", 4}, {"10", 4}};

template <size_t n>
std::string_view weighted(const Weighted (&all)[n], Random& random) {
  static const int sum = [&all] {
    int total = 0;
    for (const Weighted& each : all) total += each.weight;
    return total;
  }();
  int64_t at = random.below(sum);
  for (const Weighted& each : all) {
    at -= each.weight;
    if (at < 0) return each.text;
  }
  return all[0].text;
}

}  // namespace

std::string surname(Random& random) {
  return std::string(weighted(kSurnames, random));
}

std::string given_name(Random& random, bool male, bool young) {
  if (!young) return std::string(male ? random.pick(kMen) : random.pick(kWomen));
  std::string name;
  if (!random.chance(180)) name += male ? random.pick(kBoysFirst) : random.pick(kGirlsFirst);
  const std::string_view second = male ? random.pick(kBoysSecond) : random.pick(kGirlsSecond);
  if (name != second) name += second;
  return name;
}

const Division& birthplace(Random& random) {
  return random.pick(kDivisions);
}

std::string mobile_number(Random& random) {
  return (random.chance(500) ? "142" : "143") + std::to_string(100'000'000 + random.below(100'000'000)).substr(1);
}

std::string_view ethnic(Random& random) {
  return weighted(kEthnics, random);
}

char check_digit(std::string_view seventeen) {
  int sum = 0;
  int weight = 7;  // 2^17 mod 11; halved modulo 11 for each further digit
  for (const char digit : seventeen) {
    sum += (digit - '0') * weight;
    weight = weight * 6 % 11;
  }
  return "10X98765432"[sum % 11];
}

std::string IdNumbers::next(std::string_view division, Date birth, bool male) {
  const std::string day = birth.print();  // YYYY-MM-DD
  std::string number = std::string(division) + day.substr(0, 4) + day.substr(5, 2) + day.substr(8, 2);
  uint64_t key = male ? 1 : 0;
  for (const char digit : number) key = key * 10 + static_cast<uint64_t>(digit - '0');
  // Serials go up in odd or even steps from a start that looks like any other.
  int& count = used_[key];
  if (count == 499) throw std::runtime_error("more than 499 births of one sex in one county on one day");
  const int start = static_cast<int>(mix({key}) % 499);
  number += std::to_string(1000 + (start + count++) % 499 * 2 + (male ? 1 : 2)).substr(1);
  number += check_digit(number);
  return number;
}

}  // namespace jw::made_up
