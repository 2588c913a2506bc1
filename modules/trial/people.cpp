#include "modules/trial/people.hpp"

namespace jw::trial {

namespace {

// By frequency, roughly: the commoner ones stand more than once.
constexpr std::array<const char*, 60> kSurnames = {
    "王", "王", "王", "李", "李", "李", "张", "张", "张", "刘", "刘", "陈", "陈", "杨",   "杨",
    "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高", "罗",   "郑",
    "梁", "谢", "宋", "唐", "许", "韩", "邓", "冯", "曹", "彭", "曾", "肖", "田", "董",   "潘",
    "袁", "蔡", "蒋", "余", "于", "杜", "叶", "程", "魏", "苏", "吕", "丁", "任", "欧阳", "单"};
constexpr std::array<const char*, 40> kMaleNames = {
    "伟",   "强",   "磊",   "军",   "勇",   "杰",   "涛",   "明",   "超",   "辉",   "浩然", "宇轩", "子豪", "俊杰",
    "博文", "天佑", "志远", "文博", "嘉豪", "家辉", "一鸣", "思远", "泽宇", "晨阳", "睿",   "鹏",   "凯",   "建国",
    "永强", "少华", "立新", "海波", "子墨", "奕辰", "雨泽", "君浩", "振华", "国栋", "学文", "向东"};
constexpr std::array<const char*, 40> kFemaleNames = {
    "芳",   "娜",   "敏",   "静",   "丽",   "艳",   "娟",   "霞",   "燕",   "玲",   "雨桐", "欣怡", "子涵", "诗涵",
    "梦琪", "佳怡", "思雨", "晓雯", "雅婷", "若曦", "一诺", "可馨", "语嫣", "婉清", "洁",   "颖",   "慧",   "秀英",
    "桂兰", "春梅", "玉洁", "海燕", "静怡", "书瑶", "安然", "晨曦", "清妍", "文静", "美玲", "丽华"};
struct Division {
  const char *code, *name;
};
constexpr std::array<Division, 16> kDivisions = {{{"110105", "北京市朝阳区"},
                                                  {"310104", "上海市徐汇区"},
                                                  {"320102", "江苏省南京市玄武区"},
                                                  {"330106", "浙江省杭州市西湖区"},
                                                  {"340104", "安徽省合肥市蜀山区"},
                                                  {"350203", "福建省厦门市思明区"},
                                                  {"370102", "山东省济南市历下区"},
                                                  {"410105", "河南省郑州市金水区"},
                                                  {"420106", "湖北省武汉市武昌区"},
                                                  {"430104", "湖南省长沙市岳麓区"},
                                                  {"440106", "广东省广州市天河区"},
                                                  {"500103", "重庆市渝中区"},
                                                  {"510107", "四川省成都市武侯区"},
                                                  {"530102", "云南省昆明市五华区"},
                                                  {"610113", "陕西省西安市雁塔区"},
                                                  {"650102", "新疆维吾尔自治区乌鲁木齐市天山区"}}};

}  // namespace

std::string id_number_of(const std::string& division, Date born, int64_t serial) {
  std::string digits = division;
  for (char c : born.print()) {
    if (c != '-') digits += c;
  }
  std::string tail = std::to_string(serial);
  digits += std::string(3 - tail.size(), '0') + tail;
  constexpr std::array<int, 17> kWeights = {7, 9, 10, 5,  8, 4, 2, 1, 6,
                                            3, 7, 9,  10, 5, 8, 4, 2};  // GB 11643, ISO 7064 MOD 11-2
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) sum += (digits[i] - '0') * kWeights[i];
  return digits + "10X98765432"[sum % 11];
}

Human make_human(Chance& chance, Date earliest, Date latest) {
  Human human;
  human.male = chance.below(2) == 0;
  const auto pick = [&chance](const auto& list) {
    return std::string(list[static_cast<size_t>(chance.below(static_cast<int64_t>(list.size())))]);
  };
  human.name = pick(kSurnames) + (human.male ? pick(kMaleNames) : pick(kFemaleNames));
  human.born = Date{static_cast<int32_t>(chance.between(earliest.days, latest.days))};
  const Division& division = kDivisions[static_cast<size_t>(chance.below(static_cast<int64_t>(kDivisions.size())))];
  human.division = division.code;
  human.place = division.name;
  human.id_number = id_number_of(human.division, human.born, chance.below(500) * 2 + (human.male ? 1 : 0));
  std::string tail = std::to_string(chance.below(100'000'000));
  human.phone = "100" + std::string(8 - tail.size(), '0') + tail;
  return human;
}

}  // namespace jw::trial
