import { createPinia } from 'pinia'
import { createApp } from 'vue'
import 'element-plus/theme-chalk/base.css'
import './style/tokens.css'
import './style/element.css'
import './style/base.css'
import './style/print.css'
import App from './App.vue'
import { on_held, on_signed_out } from './api/client'
import { confirmation_ask } from './kernel/confirmation'
import { lang, set_lang } from './kernel/i18n'
import { use_session } from './kernel/session'
import { router } from './router'

set_lang(lang.value)
const app = createApp(App).use(createPinia()).use(router)
const session = use_session()

on_signed_out(() => {
  session.forget(true)
  const here = router.currentRoute.value
  if (here.name !== 'signin') void router.push({ name: 'signin', state: { back_to: here.fullPath, back_query: history.state?.q } })
})
on_held(confirmation_ask)
app.mount('#app')
