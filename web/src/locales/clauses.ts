// What the clauses behind the marks say, in a sentence each, for the text that opens under a mark. The server names the
// clause of every answer; these sentences only explain it.
import type { Text } from '@/api/types'

export const clauses: Record<string, Text> = {
  '1.3.1': {
    zh: '合法性：遵守法律与教育主管部门规定；本人可以看到谁查询过自己，也可以要求更正。',
    en: 'Legality: the law and the education authority’s rules are kept; everyone may see who has read their record and ask for correction.',
  },
  '1.3.2': { zh: '准确性：数据真实、完整、及时，查询结果可靠。', en: 'Accuracy: data is true, complete and timely, results are reliable.' },
  '1.3.3': { zh: '安全性：防止泄露、篡改和丢失。', en: 'Security: no leak, tampering or loss.' },
  '1.3.4': { zh: '便捷性：流程精简，查询快捷方便。', en: 'Convenience: short procedures, quick and easy queries.' },
  '2.1.1': {
    zh: '教务处可查询全部教务数据，用于教学决策和质量监控，并设定各部门、各岗位的查询权限。',
    en: 'The academic affairs office may query all academic data, for decisions and quality monitoring, and sets the permissions of every department and post.',
  },
  '2.1.2': {
    zh: '学生处可查询学生基本信息、学籍变动、奖惩记录等，用于学生教育和服务。',
    en: 'The student affairs office may query basic information, status changes, awards and discipline, for student education and services.',
  },
  '2.1.3': {
    zh: '财务处可查询学生缴费、学费标准等财务数据，用于核算。',
    en: 'The finance office may query payments, tuition standards and such financial data, for accounting.',
  },
  '2.1.4': {
    zh: '其他部门只能查询教务处授予的特定范围；未授予前不能查询。',
    en: 'Other offices may query only the specific range the academic office has granted; nothing before that.',
  },
  '2.2.1': {
    zh: '任课教师可查询所授课程的学生名单、成绩录入情况和教学进度；综合测评、学业预警须经教务处批准。',
    en:
      'A course teacher may query student list, grades and teaching progress of the courses taught; ' +
      'evaluation and warnings need the academic office’s approval.',
  },
  '2.2.2': {
    zh: '班主任可查询所带班级学生的基本信息、成绩、考勤和奖惩。',
    en: 'A class adviser may query basic information, grades, attendance, awards and discipline of the classes led.',
  },
  '2.3.1': {
    zh: '在校学生可查询本人的基本信息、课表、成绩和学籍；经相关单位同意可查询图书馆馆藏、网络课程等教学资源。',
    en:
      'A student may query their own basic information, timetable, grades and enrolment status; ' +
      'with consent of the unit, library holdings and online courses.',
  },
  '2.3.2': {
    zh: '毕业生在规定期限内可查询本人毕业成绩和毕业证书、学位证书编号。',
    en: 'A graduate may query their own graduation grades and certificate numbers within a set period.',
  },
  '2.4.1': {
    zh: '需要超出默认权限查询的，填写《教务系统查询权限申请表》，写明内容、用途和使用期限。',
    en: 'Access beyond the default is asked for on the Application for Query Permission, stating content, purpose and period of use.',
  },
  '2.4.2': {
    zh: '先由部门负责人审核签字，教务处在规定的工作日内书面答复。',
    en: 'The head of the department reviews and signs, then the academic office replies in writing within the set number of working days.',
  },
  '2.4.3': {
    zh: '涉及学生隐私或重要数据的申请从严审查，须用途正当并有保密措施。',
    en: 'Requests touching student privacy or important data are examined strictly: proper purpose, confidentiality measures.',
  },
  '2.5.1': {
    zh: '岗位或职责变动的，及时填写《权限变更申请表》。',
    en: 'After a change of post or duty the Application for Change of Permission is filled in without delay.',
  },
  '2.5.2': {
    zh: '不再需要权限的，由所在部门通知教务处收回。',
    en: 'Access no longer needed is reported by the department and revoked by the academic office.',
  },
  '2.5.3': {
    zh: '不得转让、出借或冒用权限；一经发现立即暂停。',
    en: 'Access may not be transferred, lent or impersonated; on discovery it is suspended at once.',
  },
  '3.1.1': { zh: '使用本人的账号和密码登录。', en: 'Sign in with one’s own account and password.' },
  '3.1.2': { zh: '在主界面选择查询模块。', en: 'Choose the query module in the main screen.' },
  '3.1.3': { zh: '输入查询条件，点击「查询」。', en: 'Enter conditions and press Query.' },
  '3.1.4': { zh: '在结果列表中查看详情、打印或导出。', en: 'Look at details, print or export from the result list.' },
  '3.2.1': {
    zh: '多条件组合查询和统计分析，可准备好条件后向教务处申请协助。',
    en: 'For multi-condition combinations and statistics one prepares the conditions and asks the academic office for help.',
  },
  '3.2.2': {
    zh: '教务处指派人员按要求设置条件，生成、整理并分析结果。',
    en: 'The academic office assigns someone who sets the conditions as asked, produces and analyses the result.',
  },
  '3.2.3': { zh: '结果以适当方式反馈给申请人，并作记录。', en: 'The result is handed back in a suitable way, and a record is kept.' },
  '3.3.1': {
    zh: '查询结果只用于教学管理或学习；对外提供须经教务处同意并报学校批准。',
    en: 'Results serve teaching administration or study only; giving them outside needs the academic office’s consent and the school’s approval.',
  },
  '3.3.2': {
    zh: '对结果有疑问或发现错误的，及时反馈；教务处在规定工作日内核实并更正或说明。',
    en: 'Errors or doubts are reported; the academic office verifies within the set working days and corrects or explains.',
  },
  '4.1.1': { zh: '教务处制定数据录入规范：要求、格式和责任人。', en: 'The academic office sets entry norms: requirement, format and responsible person.' },
  '4.2.1': { zh: '数据审核岗审核每一项录入的数据。', en: 'A data-review post checks every entered item.' },
  '4.3.2': { zh: '严格访问控制，未经授权不得读取、修改或删除。', en: 'Strict access control: nobody unauthorised reads, alters or deletes.' },
  '4.3.3': { zh: '接触数据的人员签订保密协议，妥善保管账号和密码。', en: 'People who handle the data sign a confidentiality agreement and guard account and password.' },
  '5.3.1': { zh: '设立咨询电话和邮箱，解答使用中的问题。', en: 'A help line and mailbox answer questions.' },
  '6.1.1': { zh: '无权或超越权限查询属于违规行为。', en: 'Querying without authority or beyond it is a violation.' },
}
