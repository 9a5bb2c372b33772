/**
 * What models of Bedrock can take, as far as their names tell. Sources: `protocol/wire-formats.md` §10.1; that Claude models
 * up to 4.6 have a JSON-schema mode, and later ones none, is from Amazon's documentation of its models. An inference profile
 * with a name of one's own tells nothing, and counts as a model of no known vendor.
 */
import { type Claude, claude } from "./anthropicModels.js"

export interface BedrockModel {
  /** What it can as a model of Anthropic's, if it is one. */
  readonly claude: Claude | undefined
  /** Has it a mode for JSON Schema (`outputConfig.textFormat`)? */
  readonly jsonSchema: boolean
  /** Is it known to see nothing? */
  readonly textOnly: boolean
}

export const bedrockModel = (name: string): BedrockModel => {
  const known = /(^|[./])anthropic\.claude/.test(name) ? claude(name) : undefined
  return {
    claude: known,
    jsonSchema: known?.structured === true && known.sampling,
    textOnly: textOnly.test(name)
  }
}

const textOnly =
  /(^|[./])(amazon\.(nova-micro|titan-text)|ai21\.|anthropic\.claude-(v|instant)|cohere\.command|deepseek\.|meta\.llama3-(0|1|3|8b|70b)|openai\.gpt-oss)/
